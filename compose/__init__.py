"""What the vendor of AIPP ships, compared with what is declared here."""
