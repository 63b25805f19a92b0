{{/*
Is a text an IP address or a CIDR? Templates have no function for it, so these are patterns. Each answers
"true" or nothing, and takes what the CRDs take: no zone, no leading zeros, no IPv4-mapped IPv6.
*/}}

{{- define "spidercoordinator.isIPv4" -}}
{{- $octet := "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])" -}}
{{- if regexMatch (printf "^%s(\\.%s){3}$" $octet $octet) . }}true{{ end -}}
{{- end -}}

{{- define "spidercoordinator.isIPv6" -}}
{{- $g := "[0-9A-Fa-f]{1,4}" -}}
{{- $forms := list (printf "(%s:){7}%s" $g $g) (printf "(%s:){1,7}:" $g) (printf ":(:%s){1,7}" $g) "::" -}}
{{- range $left := untilStep 1 7 1 -}}
{{- $forms = append $forms (printf "(%s:){%d}(:%s){1,%d}" $g $left $g (sub 7 $left)) -}}
{{- end -}}
{{- $text := . -}}
{{- $tail := regexFind "[0-9]+\\.[0-9.]*$" $text -}}
{{- if include "spidercoordinator.isIPv4" $tail -}}
{{- /* The last 32 bits may be written as IPv4: for the patterns they are two groups. */ -}}
{{- $text = printf "%s0:0" (trimSuffix $tail $text) -}}
{{- end -}}
{{- $mapped := regexMatch (printf "^(?i)[0:]*:ffff:%s:%s$" $g $g) $text -}}
{{- if and (regexMatch (printf "^(%s)$" (join "|" $forms)) $text) (not $mapped) }}true{{ end -}}
{{- end -}}

{{- define "spidercoordinator.isIP" -}}
{{- include "spidercoordinator.isIPv4" . | default (include "spidercoordinator.isIPv6" .) -}}
{{- end -}}

{{/* An address alone is a network of one. */}}
{{- define "spidercoordinator.isNetwork" -}}
{{- $parts := splitList "/" . -}}
{{- $address := first $parts -}}
{{- $most := ternary 32 128 (eq (include "spidercoordinator.isIPv4" $address) "true") -}}
{{- if not (include "spidercoordinator.isIP" $address) -}}
{{- else if eq (len $parts) 1 -}}true
{{- else if and (eq (len $parts) 2) (regexMatch "^(0|[1-9][0-9]{0,2})$" (last $parts)) -}}
{{- if le (int (last $parts)) $most }}true{{ end -}}
{{- end -}}
{{- end -}}

{{- define "spidercoordinator.isLinkLocal" -}}
{{- if or (hasPrefix "169.254." .) (regexMatch "^(?i)fe[89ab][0-9a-f]:" .) }}true{{ end -}}
{{- end -}}

{{/* Can an interface have this address? As the CRDs say: not unspecified, 0.0.0.0/8, loopback, multicast or broadcast. */}}
{{- define "spidercoordinator.isAssignable" -}}
{{- $forbidden := list
      "^(0|127|22[4-9]|23[0-9])\\." "^255\\.255\\.255\\.255$"
      "^(?i)ff[0-9a-f]{2}:" "^[0:]*:0{0,3}[01]?$" "^[0:]*:0\\.0\\.0\\.[01]$" -}}
{{- if include "spidercoordinator.isIP" . -}}
{{- if not (regexMatch (join "|" $forbidden) .) }}true{{ end -}}
{{- end -}}
{{- end -}}
