folder('@PATH@') {
    description('@DESCRIPTION@')
    properties {
        kubernetes {
            permittedClouds([@CLOUDS@])
        }
    }
}
