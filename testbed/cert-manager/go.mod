// Only the CRDs among the module's files are used.
module github.com/spidercoordinator/spidercoordinator/testbed/cert-manager

go 1.26.0

require github.com/cert-manager/cert-manager v1.21.0
