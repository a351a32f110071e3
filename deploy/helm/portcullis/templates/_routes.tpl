{{/* Routes of the Gateway API, on .gateway. */}}
{{- define "portcullis.route" -}}
{{- $upstream := include "portcullis.upstream" .root | fromJson -}}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ .root.Release.Name }}
  {{- include "portcullis.metadata" .root | nindent 2 }}
spec:
  {{- include "portcullis.parents" . | nindent 2 }}
  rules:
  - matches:
    - path:
        type: PathPrefix
        value: /
    filters:
    - type: URLRewrite
      urlRewrite:
        hostname: {{ $upstream.host }}
    timeouts:
      request: 0s
    backendRefs:
    {{- include "portcullis.backendRef" (dict "place" $upstream "root" .root) | nindent 4 }}
{{- end }}

{{/* What the native binary answers: people sign in there. */}}
{{- define "portcullis.signInRoute" -}}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ .root.Release.Name }}-sign-in
  {{- include "portcullis.metadata" .root | nindent 2 }}
spec:
  {{- include "portcullis.parents" . | nindent 2 }}
  rules:
  - matches:
    {{- range .root.Values.signIn.paths }}
    - path:
        type: {{ ternary "PathPrefix" "Exact" (hasSuffix "*" .) }}
        value: {{ trimSuffix "*" . }}
    {{- end }}
    backendRefs:
    - name: {{ .root.Release.Name }}
      namespace: {{ .root.Release.Namespace }}
      port: {{ .root.Values.port }}
{{- end }}

{{- define "portcullis.parents" -}}
parentRefs:
- name: {{ .gateway }}
{{- with .root.Values.hosts }}
hostnames:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Refers to a place: a Service, or a host outside in the way of the gateway's controller. */}}
{{- define "portcullis.backendRef" -}}
{{- if .place.service -}}
- name: {{ .place.service }}
  namespace: {{ .place.namespace }}
  port: {{ .place.port }}
{{- else if eq .root.Values.shape "istio" -}}
- group: networking.istio.io
  kind: Hostname
  name: {{ .place.host }}
  port: {{ .place.port }}
{{- else -}}
- group: gateway.envoyproxy.io
  kind: Backend
  name: {{ printf "%s-%s-%d" .root.Release.Name (replace "." "-" .place.host) (int .place.port) }}
{{- end }}
{{- end }}

{{/* Lets the route lead to a Service of another namespace. */}}
{{- define "portcullis.grant" -}}
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata:
  name: {{ .root.Release.Name }}-{{ .place.service }}
  {{- include "portcullis.metadata" .root | replace (printf "namespace: %s" .root.Release.Namespace) (printf "namespace: %s" .place.namespace) | nindent 2 }}
spec:
  from:
  - group: gateway.networking.k8s.io
    kind: HTTPRoute
    namespace: {{ .root.Release.Namespace }}
  to:
  - group: ""
    kind: Service
    name: {{ .place.service }}
{{- end }}
