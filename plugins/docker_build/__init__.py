"""Stand-in for Pulumi's ``docker-build`` plugin: images by ``buildah`` or ``docker buildx``, pushed by digest."""
