{{/*
Annotations of what runs before an uninstall; call with the weight. Nothing of it stays, whether it succeeds or fails;
of a Job that fails helm prints what it said.
*/}}
{{- define "spidercoordinator.uninstall.hook" -}}
helm.sh/hook: pre-delete
helm.sh/hook-weight: {{ quote . }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
helm.sh/hook-output-log-policy: hook-failed
{{- end -}}
