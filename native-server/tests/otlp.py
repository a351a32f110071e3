"""Reads a document of OTLP in JSON by the schema of its messages, and prints a line for each span.

Names that the schema has not, and values of other types, are errors.
"""

import base64
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


def main():
    document = json.load(sys.stdin)
    for span in spans(document):
        # Unlike other octets in JSON, these are hexadecimal (OTLP, "JSON Protobuf Encoding").
        for name in ("traceId", "spanId", "parentSpanId"):
            span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    request = json_format.ParseDict(document, ExportTraceServiceRequest())
    for resource in request.resource_spans:
        assert "service.name" in [attribute.key for attribute in resource.resource.attributes]
        for scope in resource.scope_spans:
            for span in scope.spans:
                print(line(span))


def spans(document):
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]


def line(span):
    assert (len(span.trace_id), len(span.span_id)) == (16, 8)
    assert len(span.parent_span_id) in (0, 8)
    assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano
    assert all(attribute.value.WhichOneof("value") for attribute in span.attributes)
    kind, status = Span.SpanKind.Name(span.kind), Status.StatusCode.Name(span.status.code)
    return f"{span.name} {kind} {span.trace_id.hex()} {span.parent_span_id.hex()} {status}"


main()
