// Loaded by the pipelines of the folder `aihub`:
//   def api = publish.image(name: 'api', context: 'service', target: 'api', arguments: 'KEY=VALUE')
//   publish.version([api])

// Builds, lists, scans and signs one image; returns its reference by digest.
def image(Map what) {
    def repository = "${env.AIHUB_REGISTRY}/${what.name}"
    def commit = sh(script: 'git rev-parse HEAD', returnStdout: true).trim()
    stage("${what.name}: build") {
        withEnv([
            "CONTEXT=${what.context}",
            "TARGET=${what.target ?: ''}",
            "IMAGE=${repository}",
            // No version yet: Image Updater takes none by this name, and the next build takes the name over.
            "TAGS=unchecked",
            "REVISION=${commit}",
            "BUILD_ARGS=${what.arguments ?: ''}",
            "DIGEST_FILE=${env.WORKSPACE}/${what.name}.digest"
        ]) {
            container('builder') {
                sh 'sh -c "$BUILD_IMAGE"'
            }
        }
    }
    // By digest from here on: the tag is that of whichever build was last.
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
                    # What can be fixed and is critical stops here: no such image is signed, or becomes a version.
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
    return reference
}

// Gives images of this commit the tag that Image Updater takes for a version: all of them, or none, since one that did
// not get through has ended the build. In the order given: whoever sees the last has the others.
def version(List references) {
    // 7 to 12 hexadecimal digits of the commit: delivery.imageUpdater.allowTags.
    def tag = sh(script: 'git rev-parse HEAD', returnStdout: true).trim().take(12)
    stage('publish') {
        withEnv(["REFERENCES=${references.join(' ')}", "TAG=${tag}"]) {
            container('tagger') {
                sh 'python3 ci/tag.py'
            }
        }
    }
}

return this
