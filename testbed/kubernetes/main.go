// The testbed's Kubernetes: every component of a cluster in one binary.
//
// One link instead of eight keeps the build short and the file small. The name
// it is called by (a symbolic link) selects the component, as in busybox. Nothing
// of the components is changed: each is started the way its own main does it.
//
// The folder of each minor release beside this file is a module of its own: it pins
// the release, links to this file, and has what differs in constructors.go.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata"

	"github.com/spf13/cobra"
	etcd "go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
)

// components maps the name of each symbolic link to what runs under it. Commands
// are constructed on demand: some constructors register global flags.
var components = map[string]func() int{
	"etcd":                    runEtcd,
	"kube-apiserver":          daemon(apiserver.NewAPIServerCommand),
	"kube-controller-manager": daemon(controllermanager.NewControllerManagerCommand),
	"kube-proxy":              daemon(proxy.NewProxyCommand),
	"kube-scheduler":          daemon(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kubeadm":                 runKubeadm,
	"kubectl":                 runKubectl,
	"kubelet":                 daemon(newKubelet),
}

func main() {
	name := filepath.Base(os.Args[0])
	run, known := components[name]
	if !known {
		names := make([]string, 0, len(components))
		for component := range components {
			names = append(names, component)
		}
		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "%s: call this binary by one of the names %s\n", name, strings.Join(names, ", "))
		os.Exit(2)
	}
	os.Exit(run())
}

func daemon(construct func() *cobra.Command) func() int {
	return func() int { return cli.Run(construct()) }
}

func runEtcd() int {
	etcd.Main(os.Args)
	return 0
}

func runKubeadm() int {
	exitOnError(kubeadm.Run())
	return 0
}

func runKubectl() int {
	if err := cli.RunNoErrOutput(newKubectl()); err != nil {
		kubectlutil.CheckErr(err)
	}
	return 0
}
