// Vault's own core and API with the key-value engine and the login by Kubernetes accounts, and none of its other
// plugins, which are nine tenths of the build: a server in memory for tests. It prints one line of JSON, {"address": ...,
// "token": ..., "key": ...}, and runs until its standard input ends.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/hashicorp/go-hclog"
	kubernetes "github.com/hashicorp/vault-plugin-auth-kubernetes"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

// plugins is the catalogue of what is compiled in.
type plugins struct{}

func (plugins) Contains(name string, kind consts.PluginType) bool {
	_, found := plugins{}.Get(name, kind)
	return found
}

func (plugins) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	factory, found := map[consts.PluginType]map[string]logical.Factory{
		consts.PluginTypeSecrets:    {"kv": kv.Factory},
		consts.PluginTypeCredential: {"kubernetes": kubernetes.Factory},
	}[kind][name]
	return func() (interface{}, error) { return factory, nil }, found
}

func (plugins) Keys(kind consts.PluginType) []string {
	return map[consts.PluginType][]string{
		consts.PluginTypeSecrets:    {"kv"},
		consts.PluginTypeCredential: {"kubernetes"},
	}[kind]
}

func (plugins) DeprecationStatus(string, consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, true
}

func (plugins) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }

func run() error {
	logger := hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Warn})
	storage, err := inmem.NewInmem(nil, logger)
	if err != nil {
		return err
	}
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		BuiltinRegistry:    plugins{},
		LogicalBackends:    map[string]logical.Factory{"kv": kv.Factory},
		CredentialBackends: map[string]logical.Factory{"kubernetes": kubernetes.Factory},
		DisableMlock:       true,
		Logger:             logger,
	})
	if err != nil {
		return err
	}
	one := &vault.SealConfig{SecretShares: 1, SecretThreshold: 1}
	made, err := core.Initialize(context.Background(), &vault.InitParams{BarrierConfig: one})
	if err != nil {
		return err
	}
	if open, err := core.Unseal(made.SecretShares[0]); err != nil || !open {
		return errors.Join(err, errors.New("still sealed"))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	handler := vaulthttp.Handler.Handler(&vault.HandlerProperties{Core: core, ListenerConfig: &configutil.Listener{}})
	go func() { _ = http.Serve(listener, handler) }()
	told := map[string]string{
		"address": "http://" + listener.Addr().String(),
		"token":   made.RootToken,
		"key":     hex.EncodeToString(made.SecretShares[0]),
	}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func main() {
	if err := run(); err != nil {
		println(err.Error())
		os.Exit(1)
	}
}
