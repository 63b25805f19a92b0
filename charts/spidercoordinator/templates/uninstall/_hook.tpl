{{/*
Annotations of what runs before an uninstall; call with the weight. A leftover of an uninstall that failed is replaced,
and nothing of it stays once it has succeeded.
*/}}
{{- define "spidercoordinator.uninstall.hook" -}}
helm.sh/hook: pre-delete
helm.sh/hook-weight: {{ quote . }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
