// Builds, lists, scans and signs one image; loaded by the pipelines of the folder `aihub`.
// publish.image(name: 'api', context: 'service', target: 'api', arguments: 'KEY=VALUE')

def image(Map what) {
    def repository = "${env.AIHUB_REGISTRY}/${what.name}"
    def commit = sh(script: 'git rev-parse HEAD', returnStdout: true).trim()
    // The tag that Image Updater takes for a version: 7 to 12 hexadecimal digits of the commit.
    def tag = commit.take(12)
    stage("${what.name}: build") {
        withEnv([
            "CONTEXT=${what.context}",
            "TARGET=${what.target ?: ''}",
            "IMAGE=${repository}",
            "TAGS=${tag}",
            "REVISION=${commit}",
            "BUILD_ARGS=${what.arguments ?: ''}",
            "DIGEST_FILE=${env.WORKSPACE}/${what.name}.digest"
        ]) {
            container('builder') {
                sh 'sh -c "$BUILD_IMAGE"'
            }
        }
    }
    // By digest from here on: a tag may be pushed again meanwhile.
    def reference = "${repository}@${readFile("${what.name}.digest").trim()}"
    withEnv(["REFERENCE=${reference}", "NAME=${what.name}"]) {
        stage("${what.name}: scan") {
            container('scanner') {
                sh '''
                    if [ "$AIHUB_PLAIN_HTTP" = true ]; then export TRIVY_INSECURE=true TRIVY_NON_SSL=true; fi
                    export TRIVY_CACHE_DIR=/tmp/trivy
                    trivy image --quiet --format cyclonedx --output "$NAME.cdx.json" "$REFERENCE"
                    trivy image --quiet --scanners vuln --format table --output "$NAME.faults.txt" "$REFERENCE"
                    cat "$NAME.faults.txt"
                    # What can be fixed and is critical stops here: no such image is signed.
                    trivy image --quiet --scanners vuln --severity CRITICAL --ignore-unfixed --exit-code 1 "$REFERENCE"
                '''
            }
        }
        if (env.AIHUB_SIGN == 'true') {
            stage("${what.name}: sign") {
                container('signer') {
                    sh '''
                        set +x
                        COSIGN_PASSWORD=$(cat /etc/cosign/cosign.password)
                        export COSIGN_PASSWORD
                        if [ "$AIHUB_PLAIN_HTTP" = true ]; then http=--allow-http-registry; else http=; fi
                        # No public log: nothing of a private installation is told to anybody.
                        private="--use-signing-config=false --tlog-upload=false --yes --key /etc/cosign/cosign.key $http"
                        cosign sign $private "$REFERENCE"
                        cosign attest $private --type cyclonedx --predicate "$NAME.cdx.json" "$REFERENCE"
                    '''
                }
            }
        }
    }
    archiveArtifacts artifacts: "${what.name}.digest, ${what.name}.cdx.json, ${what.name}.faults.txt"
    echo "${reference} (${tag})"
}

return this
