"""From a push to an image: the Git server, Jenkins, and one pod per build."""
