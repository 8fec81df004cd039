gitLabConnection {
    gitLabConnection('gitlab')
    jobCredentialId('')
    useAlternativeCredential(false)
}
pipelineTriggers {
    triggers {
        gitlab {
            secretToken('@WEBHOOK_SECRET@')
            triggerOnPush(false)
            triggerOnMergeRequest(true)
            triggerOpenMergeRequestOnPush('source')
            branchFilterType('All')
            skipWorkInProgressMergeRequest(false)
        }
    }
}
