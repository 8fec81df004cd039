pipelineTriggers {
    triggers {
        genericTrigger {
            genericVariables {
                genericVariable {
                    key('REVIEW_NUMBER')
                    value('$.number')
                    regexpFilter('[^0-9]')
                }
                genericVariable {
                    key('REVIEW_ACTION')
                    value('$.action')
                }
            }
            token('@SELECTOR@')
            causeString('merge request $REVIEW_NUMBER')
            printPostContent(false)
            printContributedVariables(false)
            regexpFilterText('$REVIEW_NUMBER $REVIEW_ACTION')
            regexpFilterExpression('^[0-9]+ (opened|reopened|synchronized)$')
        }
    }
}
