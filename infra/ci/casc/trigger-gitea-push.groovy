pipelineTriggers {
    triggers {
        genericTrigger {
            genericVariables {
                genericVariable {
                    key('GIT_REF')
                    value('$.ref')
                }
            }
            token('@SELECTOR@')
            causeString('a push to @BRANCH@')
            printPostContent(false)
            printContributedVariables(false)
            regexpFilterText('$GIT_REF')
            regexpFilterExpression('^refs/heads/@BRANCH@$')
        }
    }
}
