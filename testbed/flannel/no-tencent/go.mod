// Stands for the client of a cloud that flannel's backend "tencent-vpc" talks to.
module github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/vpc

go 1.26.0
