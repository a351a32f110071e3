{{- define "portcullis.labels" -}}
app.kubernetes.io/name: portcullis
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "portcullis.metadata" -}}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "portcullis.labels" . | nindent 2 }}
  app.kubernetes.io/managed-by: {{ .Release.Service }}
  helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Whether the native binary is part of the install. */}}
{{- define "portcullis.native" -}}
{{- if or (eq .Values.shape "native") .Values.signIn.paths }}yes{{ end }}
{{- end }}

{{- define "portcullis.secret" -}}
{{ .Values.secret.name | default .Release.Name }}
{{- end }}

{{- define "portcullis.tokenSecret" -}}
{{ .Values.metrics.tokenSecret.name | default (include "portcullis.secret" .) }}
{{- end }}

{{/* The secrets of the filter: where the native binary signs people in, the provider is not its business. */}}
{{- define "portcullis.filterSecrets" -}}
{{- if .Values.signIn.paths -}}
{{ without .Values.secret.keys "OIDCPROXY_CLIENT_SECRET" | toJson }}
{{- else -}}
{{ .Values.secret.keys | toJson }}
{{- end }}
{{- end }}

{{/* An image, with the chart's appVersion where it has no tag. */}}
{{- define "portcullis.filterImage" -}}
{{- if regexMatch "[:@][^/]*$" (trimPrefix "oci://" .image) }}{{ .image }}{{ else }}{{ .image }}:{{ .version }}{{ end }}
{{- end }}

{{/* What a URL is to a cluster: host, port, tls, and service where it is one of the cluster's. */}}
{{- define "portcullis.place" -}}
{{- $url := urlParse .url -}}
{{- $tls := eq $url.scheme "https" -}}
{{- $name := $url.hostname -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "443" "80" $tls) -}}
{{- $bare := trimSuffix ".cluster.local" $name -}}
{{- $place := dict "host" $name "port" ($port | int) "tls" $tls "known" $name -}}
{{- if hasSuffix ".svc" $bare -}}
{{- $parts := splitn "." 2 (trimSuffix ".svc" $bare) -}}
{{- $_ := set $place "service" $parts._0 -}}
{{- $_ := set $place "namespace" $parts._1 -}}
{{- else if not (contains "." $bare) -}}
{{- $_ := set $place "service" $bare -}}
{{- $_ := set $place "namespace" .namespace -}}
{{- end -}}
{{- if $place.service -}}
{{- $_ := set $place "known" (printf "%s.%s.svc.cluster.local" $place.service $place.namespace) -}}
{{- end -}}
{{ $place | toJson }}
{{- end }}

{{- define "portcullis.upstream" -}}
{{ include "portcullis.place" (dict "url" (required "settings.PORTCULLIS_UPSTREAM must be the URL of the MCP server" .Values.settings.PORTCULLIS_UPSTREAM) "namespace" .Release.Namespace) }}
{{- end }}

{{/* Where the native binary of this install is in the cluster. */}}
{{- define "portcullis.nativeUrl" -}}
http://{{ .Release.Name }}.{{ .Release.Namespace }}.svc.cluster.local:{{ .Values.port }}
{{- end }}
