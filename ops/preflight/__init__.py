"""What a stack needs of the machine and the cluster before it is brought up: one file per subject.

A look is a pure function from what the machine says to a finding; the machine is read through :class:`Machine` alone,
so that tests give it recorded answers.
"""
