// Command compose reads one Compose file the way Docker does (compose-go is what Docker's own command is built on)
// and prints it as JSON: short forms made long, variables filled in, and beside it the variables of the env file.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
)

type answer struct {
	Project   *types.Project    `json:"project"`
	Variables map[string]string `json:"variables"`
}

func read(file, environment string) (answer, error) {
	found := answer{Variables: map[string]string{}}
	options := []cli.ProjectOptionsFn{
		cli.WithName("package"),
		cli.WithResolvedPaths(false),
		cli.WithProfiles([]string{"*"}),
		// What a service's own env_file holds may not lie beside the file; it is told by name.
		cli.WithoutEnvironmentResolution,
	}
	if environment != "" {
		variables, err := dotenv.Read(environment)
		if err != nil {
			return found, err
		}
		found.Variables = variables
		options = append(options, cli.WithEnvFiles(environment), cli.WithDotEnv)
	}
	project, err := cli.NewProjectOptions([]string{file}, options...)
	if err != nil {
		return found, err
	}
	found.Project, err = project.LoadProject(context.Background())
	return found, err
}

func main() {
	environment := flag.String("env", "", "file with the variables; nothing is taken from the process' own")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: compose [--env FILE] FILE")
		os.Exit(2)
	}
	// It warns of variables that are not set; whoever reads the answer sees the empty value.
	logrus.SetLevel(logrus.ErrorLevel)
	found, err := read(flag.Arg(0), *environment)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err != nil {
		text := err.Error()
		for name, value := range found.Variables {
			if len(value) > 3 {
				text = strings.ReplaceAll(text, value, "[value of "+name+"]")
			}
		}
		fmt.Fprintln(os.Stderr, text)
		os.Exit(1)
	}
}
