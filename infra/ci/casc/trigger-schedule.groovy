pipelineTriggers {
    triggers {
        cron {
            spec('H 6 * * *')
        }
    }
}
