//! Envoy, asking by HTTP or by gRPC.

use std::fs;
use std::path::Path;
use std::process::Command;

use portcullis_tests::folder::Folder;

use super::{Places, deploy, tool};

pub(super) fn command(folder: &Folder, places: &Places, name: &str) -> Command {
    let config = deploy(folder, name, places);
    if let Some(certificate) = &places.certificate {
        ask_by_tls(&config, certificate);
    }
    let mut command = Command::new(tool(&["envoy"]));
    command
        .args([
            "--use-dynamic-base-id",
            "--concurrency",
            "1",
            "-l",
            "warning",
            "-c",
        ])
        .arg(config);
    command
}

/// Adds to the last cluster, which is the gateway's, that it is spoken to by TLS.
fn ask_by_tls(config: &Path, certificate: &Path) {
    let socket = format!(
        r#"
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
          sni: localhost
          common_tls_context:
            alpn_protocols: [h2]
            validation_context:
              trusted_ca: {{filename: {}}}
              match_typed_subject_alt_names:
                - {{san_type: DNS, matcher: {{exact: localhost}}}}
"#,
        certificate.display()
    );
    let text = fs::read_to_string(config).unwrap();
    fs::write(config, text.trim_end().to_owned() + &socket).unwrap();
}
