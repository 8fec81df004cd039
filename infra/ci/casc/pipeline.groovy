pipelineJob('@PATH@') {
    description('@DESCRIPTION@')
    parameters {
        @PARAMETERS@
    }
    properties {
        disableConcurrentBuilds()
        buildDiscarder {
            strategy {
                logRotator {
                    daysToKeepStr('90')
                    numToKeepStr('50')
                    artifactDaysToKeepStr('90')
                    artifactNumToKeepStr('20')
                }
            }
        }
        @PROPERTIES@
    }
    definition {
        cpsScm {
            scm {
                git {
                    remote {
                        url('@URL@')
                        @CREDENTIALS@
                    }
                    branch('*/@BRANCH@')
                }
            }
            scriptPath('@SCRIPT@')
            lightweight(true)
        }
    }
}
