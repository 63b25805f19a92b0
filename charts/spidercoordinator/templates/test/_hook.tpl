{{/* The pod stays for its log until the next test, or an uninstall; where it fails, helm shows the log itself. */}}
{{- define "spidercoordinator.test.hook" -}}
helm.sh/hook: test
helm.sh/hook-delete-policy: before-hook-creation
helm.sh/hook-output-log-policy: hook-failed
{{- end -}}
