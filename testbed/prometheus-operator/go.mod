// Only the CRDs among the module's files are used.
module github.com/spidercoordinator/spidercoordinator/testbed/prometheus-operator

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
