gitLabConnection {
    gitLabConnection('gitlab')
    jobCredentialId('')
    useAlternativeCredential(false)
}
pipelineTriggers {
    triggers {
        gitlab {
            secretToken('@WEBHOOK_SECRET@')
            triggerOnPush(true)
            triggerOnMergeRequest(false)
            branchFilterType('NameBasedFilter')
            includeBranchesSpec('@BRANCH@')
            ciSkip(false)
        }
    }
}
