package main

import (
	"github.com/spf13/cobra"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app/util"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func newKubelet() *cobra.Command { return kubelet.NewKubeletCommand() }

func newKubectl() *cobra.Command { return kubectl.NewDefaultKubectlCommand() }

func exitOnError(err error) { kubeadm.CheckErr(err) }
