//! A host that publishes documents of clients, by https.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use portcullis_tests::oauth_flow::Client;
use portcullis_tests::server::{Incoming, Server};
use portcullis_tests::{Answer, Behaviour, Gateway, Kind, Settings, free_address};
use serde_json::{Value, json};

use crate::world::REDIRECT;

/// The host.
pub(crate) struct Publisher {
    _documents: Server,
    /// Ends TLS in front of them.
    front: Gateway,
    certificate: PathBuf,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Publisher {
    pub(crate) fn start() -> Self {
        let address = free_address();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let origin = format!("https://localhost:{}", address.port());
        let documents = Server::start(move |request: Incoming| {
            seen.lock().unwrap().push(request.target.clone());
            document(&origin, &request.target).map_or_else(
                || Behaviour::status(404),
                |document| {
                    let answer = Answer::json(200, &document);
                    Behaviour::Answer(answer.field("cache-control", "max-age=600"))
                },
            )
        });
        let (certificate, key) = certificate();
        let settings = Settings::new()
            .with("ZSCALER_MCP_AUTH_MODE", "none")
            .with("ZSCALER_MCP_ALLOWED_HOSTS", "*")
            .with("ZSCALER_MCP_TLS_CERTFILE", certificate.to_str().unwrap())
            .with("ZSCALER_MCP_TLS_KEYFILE", key.to_str().unwrap())
            .listening_on(address);
        let upstream = format!("http://{}", documents.address());
        Self {
            front: Gateway::start(Kind::Native, &settings, &upstream),
            _documents: documents,
            certificate,
            asked,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.front.address().port()
    }

    /// Names this host to a gateway, which is to believe its certificate.
    pub(crate) fn trusted(&self, settings: Settings) -> Settings {
        let host = format!("localhost:{}", self.port());
        settings
            .with("OIDCPROXY_CLIENT_DOCUMENTS", host)
            .trusting(&self.certificate)
    }

    /// Returns the client that is described at `path`.
    pub(crate) fn client(&self, path: &str) -> Client {
        let web = path == "/web.json";
        let redirect_uri = if web {
            "https://app.example/callback"
        } else {
            REDIRECT
        };
        Client {
            id: format!("https://localhost:{}{path}", self.port()),
            redirect_uri: redirect_uri.to_owned(),
        }
    }

    /// Forgets what it was asked for.
    pub(crate) fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }

    /// Returns what it was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(self.certificate.parent().unwrap()));
    }
}

fn document(origin: &str, path: &str) -> Option<Value> {
    let described = |at: &str, uri: &str| {
        json!({
            "client_id": format!("{origin}{at}"),
            "client_name": "Documented",
            "redirect_uris": [uri],
        })
    };
    let without = |member: &str| {
        let mut document = described(path, REDIRECT);
        document.as_object_mut().unwrap().remove(member);
        document
    };
    match path {
        "/client.json" | "/local.json" => Some(described(path, REDIRECT)),
        "/web.json" => Some(described(path, "https://app.example/callback")),
        "/stolen.json" => Some(described("/client.json", REDIRECT)),
        "/nameless.json" => Some(without("client_name")),
        "/nowhere.json" => Some(without("redirect_uris")),
        _ => None,
    }
}

/// Makes a certificate of its own for `localhost`, and its key, in files.
fn certificate() -> (PathBuf, PathBuf) {
    let folder =
        std::env::temp_dir().join(format!("portcullis-publisher-{}", free_address().port()));
    fs::create_dir_all(&folder).unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.join(name));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (certificate, key)
}
