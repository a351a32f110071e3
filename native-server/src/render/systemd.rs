//! The native binary as a service of one host.

use portcullis_core::config::Setting;

use crate::render::Install;
use crate::render::files::{File, MARK};
use crate::render::stopping::{stop_remark, stop_seconds};

/// Where the settings are expected.
const FOLDER: &str = "/etc/portcullis";

/// What the service may not do; every line is one of systemd.exec(5).
const SANDBOX: &str = "\
# A user of its own, who owns nothing and sees no files but the system's.
DynamicUser=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProcSubset=pid
UMask=0077
# Nothing of the kernel but what a program needs that speaks over the network.
NoNewPrivileges=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
";

/// Writes the unit and the settings; `binary` is where the binary is installed.
pub(crate) fn systemd(install: &Install, binary: &str) -> Vec<File> {
    let settings = format!("{:#}\n", settings(install));
    vec![
        File {
            name: "portcullis.service".to_owned(),
            text: unit(install, binary),
            is_secret: false,
        },
        File {
            name: "settings.json".to_owned(),
            text: settings,
            is_secret: false,
        },
    ]
}

fn unit(install: &Install, binary: &str) -> String {
    let secrets = install.from_environment.iter();
    let secrets: String = secrets
        .map(|setting| format!("#   {}=...\n", setting.name()))
        .collect();
    let address = install.listen;
    let listen = std::net::SocketAddr::new(address.ip, address.port);
    format!(
        "{MARK}systemd`: render it again instead of editing it.\n\
         # Install it as /etc/systemd/system/portcullis.service, and settings.json into {FOLDER}.\n\
         # {FOLDER}/secrets.env has the secrets, mode 600, owner root:\n\
         {secrets}\
         # PORTCULLIS_STATE_KEYS is made by `portcullis --generate-auth-token`.\n\
         [Unit]\n\
         Description=Portcullis, client authentication for an MCP server\n\
         Wants=network-online.target\n\
         After=network-online.target\n\n\
         [Service]\n\
         Type=exec\n\
         ExecStart={binary} serve --config {FOLDER}/settings.json --listen {listen}\n\
         ExecReload=/bin/kill -HUP $MAINPID\n\
         EnvironmentFile={FOLDER}/secrets.env\n\
         Environment=PORTCULLIS_STATE_DIR=%S/portcullis\n\
         StateDirectory=portcullis\n\
         StateDirectoryMode=0700\n\
         {}\
         Restart=on-failure\n\
         RestartSec=1\n\
         # {}\n\
         TimeoutStopSec={}\n\
         # A client's connection takes two descriptors.\n\
         LimitNOFILE=65536\n\n\
         {SANDBOX}\
         {}\n\
         [Install]\n\
         WantedBy=multi-user.target\n",
        certificates(install),
        stop_remark(),
        stop_seconds(),
        capabilities(install),
    )
}

/// Hands the files of TLS to the service, which cannot read them where they are.
fn certificates(install: &Install) -> String {
    let Some(files) = &install.tls else {
        return String::new();
    };
    let authorities = files.client_authorities.iter();
    let mut credentials = vec![
        ("tls.crt", Setting::TlsCertfile, &files.certificates),
        ("tls.key", Setting::TlsKeyfile, &files.key),
    ];
    credentials.extend(authorities.map(|file| ("ca.crt", Setting::TlsCaCerts, file)));
    let lines = credentials.into_iter().map(|(name, setting, file)| {
        let (setting, file) = (setting.name(), file.display());
        format!("LoadCredential={name}:{file}\nEnvironment={setting}=%d/{name}\n")
    });
    lines.collect()
}

/// Ports below 1024 take a right of their own, which counts for nothing among private users.
fn capabilities(install: &Install) -> &'static str {
    if (1..1024).contains(&install.listen.port) {
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"
    } else {
        "CapabilityBoundingSet=\nAmbientCapabilities=\nPrivateUsers=yes\n"
    }
}

/// Returns the settings for the file; those of the listener are in the unit.
fn settings(install: &Install) -> serde_json::Value {
    let settings = install.written();
    if install.tls.is_none() && !install.listen.ip.is_loopback() {
        // It was said already, or the settings would have been refused.
        settings.with(Setting::AllowHttp, "true").json()
    } else {
        settings.json()
    }
}
