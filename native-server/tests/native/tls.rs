//! TLS on the listener, client certificates, TLS to the protected resource.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use crate::support::{Folder, Gateway, PATIENCE, Upstream};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
const GET: &str = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("key");
        Self(CertifiedIssuer::self_signed(params, key).expect("certificate"))
    }

    /// Returns its own certificate, in PEM.
    pub(crate) fn certificate(&self) -> String {
        self.0.pem()
    }

    fn issue(&self) -> Identity {
        self.issue_for(&["localhost", "127.0.0.1"], 4096)
    }

    /// Issues a certificate for these names, which counts until the end of that year.
    pub(crate) fn issue_for(&self, names: &[&str], year: i32) -> Identity {
        let key = KeyPair::generate().expect("key");
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year, 12, 31);
        let issuer: &Issuer<'_, _> = &self.0;
        let certificate = params.signed_by(&key, issuer).expect("certificate");
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    fn client(&self, identity: Option<&Identity>, alpn: &[u8]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("root");
        let builder = ClientConfig::builder().with_root_certificates(roots);
        let mut config = match identity {
            Some(identity) => {
                let (chain, key) = identity.parse();
                builder.with_client_auth_cert(chain, key).expect("identity")
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![alpn.to_vec()];
        config
    }
}

impl Identity {
    fn parse(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let chain = CertificateDer::pem_slice_iter(self.certificate.as_bytes());
        (
            chain.map(|certificate| certificate.expect("PEM")).collect(),
            PrivateKeyDer::from_pem_slice(self.key.as_bytes()).expect("PEM"),
        )
    }

    /// Answers every request with `response`, over TLS.
    pub(crate) fn serve(&self, response: &'static str) -> SocketAddr {
        let (chain, key) = self.parse();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map(Arc::new)
            .expect("identity");
        let listener = TcpListener::bind("127.0.0.1:0").expect("free port");
        let address = listener.local_addr().expect("bound");
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let connection = ServerConnection::new(Arc::clone(&config)).expect("configuration");
                let mut tls = rustls::StreamOwned::new(connection, stream);
                let mut head = [0; 1024];
                if tls.read(&mut head).is_ok() {
                    let _ = tls.write_all(response.as_bytes());
                }
            }
        });
        address
    }
}

/// Returns the response to `GET`, or why there is none.
fn get(address: SocketAddr, config: ClientConfig) -> std::io::Result<String> {
    let mut tls = connect(address, config)?;
    ask(&mut tls)
}

fn start(upstream: &Upstream, folder: &Folder, identity: &Identity, ca: Option<&str>) -> Gateway {
    let url = format!("http://{}", upstream.address);
    let certificate = folder.write("server.pem", &identity.certificate);
    let key = folder.write("server.key", &identity.key);
    let mut environment = vec![
        ("ZSCALER_MCP_AUTH_MODE", "none"),
        ("ZSCALER_MCP_TLS_CERTFILE", certificate.as_str()),
        ("ZSCALER_MCP_TLS_KEYFILE", key.as_str()),
    ];
    if let Some(ca) = ca {
        environment.push(("ZSCALER_MCP_TLS_CA_CERTS", ca));
    }
    Gateway::start_with(&["--upstream", &url], &environment)
}

#[test]
fn listener_speaks_tls_and_nothing_else() {
    let upstream = Upstream::answering(OK);
    let folder = Folder::new();
    let authority = Authority::new();
    let gateway = start(&upstream, &folder, &authority.issue(), None);
    let response = get(gateway.address, authority.client(None, b"http/1.1")).expect("TLS");
    assert!(response.ends_with("\r\n\r\nok"), "{response}");
    let head = upstream.head();
    assert_eq!(
        crate::support::values(&head, "x-forwarded-proto"),
        ["https"]
    );
    let stranger = Authority::new().client(None, b"http/1.1");
    assert!(get(gateway.address, stranger).is_err());
    let mut plain = gateway.connect();
    plain.send(GET);
    let mut rest = Vec::new();
    let _ = plain.0.read_to_end(&mut rest);
    assert!(!rest.starts_with(b"HTTP/"), "{rest:?}");
}

#[test]
fn h2_is_chosen_by_alpn() {
    let upstream = Upstream::answering(OK);
    let folder = Folder::new();
    let authority = Authority::new();
    let gateway = start(&upstream, &folder, &authority.issue(), None);
    let name = ServerName::try_from("localhost").expect("name");
    let config = Arc::new(authority.client(None, b"h2"));
    let connection = ClientConnection::new(config, name).expect("configuration");
    let stream = TcpStream::connect(gateway.address).expect("accepts");
    let mut tls = rustls::StreamOwned::new(connection, stream);
    tls.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .expect("TLS");
    let mut frame = [0; 9];
    tls.read_exact(&mut frame).expect("a frame");
    assert_eq!(tls.conn.alpn_protocol(), Some(b"h2".as_slice()));
    // RFC 9113 §3.4: the first frame of a server is SETTINGS (type 4), on stream 0.
    assert_eq!((frame[3], &frame[5..]), (4, [0; 4].as_slice()));
}

#[test]
fn client_certificates_are_required_once_authorities_are_set() {
    let upstream = Upstream::answering(OK);
    let folder = Folder::new();
    let (servers, clients) = (Authority::new(), Authority::new());
    let ca = folder.write("clients.pem", &clients.certificate());
    let gateway = start(&upstream, &folder, &servers.issue(), Some(&ca));
    let mine = clients.issue();
    let response = get(gateway.address, servers.client(Some(&mine), b"http/1.1")).expect("TLS");
    assert!(response.ends_with("\r\n\r\nok"), "{response}");
    upstream.head();
    assert!(get(gateway.address, servers.client(None, b"http/1.1")).is_err());
    let strange = Authority::new().issue();
    assert!(get(gateway.address, servers.client(Some(&strange), b"http/1.1")).is_err());
    assert!(upstream.heads.try_recv().is_err(), "a request got through");
}

#[test]
fn certificate_of_the_upstream_is_checked() {
    let folder = Folder::new();
    let authority = Authority::new();
    let port = authority.issue().serve(OK).port();
    let url = format!("https://localhost:{port}");
    let status = |trusted: &Authority| {
        let roots = folder.write("roots.pem", &trusted.certificate());
        let environment = [
            ("ZSCALER_MCP_AUTH_MODE", "none"),
            ("SSL_CERT_FILE", roots.as_str()),
        ];
        let gateway = Gateway::start_with(&["--upstream", &url], &environment);
        gateway.exchange(GET)[9..12].to_owned()
    };
    assert_eq!(status(&authority), "200");
    assert_eq!(status(&Authority::new()), "502");
}

/// The key is written first, so that for a moment the files do not fit each other.
#[test]
fn changed_certificates_and_authorities_count_for_the_next_handshake() {
    let upstream = Upstream::answering(OK);
    let folder = Folder::new();
    let (old, new) = (Authority::new(), Authority::new());
    let clients = [Authority::new(), Authority::new()];
    let [first, second] = [clients[0].issue(), clients[1].issue()];
    let ca = folder.write("clients.pem", &clients[0].certificate());
    let gateway = start(&upstream, &folder, &old.issue(), Some(&ca));
    let ask = |server: &Authority, client: &Identity| {
        get(gateway.address, server.client(Some(client), b"http/1.1")).is_ok()
    };
    assert!(ask(&old, &first) && !ask(&new, &first) && !ask(&old, &second));
    let identity = new.issue();
    folder.write("server.key", &identity.key);
    gateway.log_with("new settings refused, those in force stay");
    assert!(ask(&old, &first));
    folder.write("server.pem", &identity.certificate);
    folder.write("clients.pem", &clients[1].certificate());
    gateway.log_with("settings reloaded");
    assert!(ask(&new, &second) && !ask(&new, &first) && !ask(&old, &second));
}

/// Clients whose certificates count no more must not go on with connections that are kept.
#[test]
fn kept_connections_end_when_the_authorities_of_clients_change_and_open_streams_do_not() {
    let (proceed, told) = channel::<()>();
    let told = std::sync::Mutex::new(told);
    let upstream = Upstream::start(move |mut wire| {
        wire.send("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nfirst ");
        let _ = told.lock().expect("lock").recv_timeout(PATIENCE);
        wire.send("last");
    });
    let folder = Folder::new();
    let (servers, clients) = (Authority::new(), Authority::new());
    let ca = folder.write("clients.pem", &clients.certificate());
    let identity = servers.issue();
    let gateway = start(&upstream, &folder, &identity, Some(&ca));
    let mine = clients.issue();
    let connect = |alpn: &[u8]| connect(gateway.address, servers.client(Some(&mine), alpn));
    let mut kept = connect(b"http/1.1").expect("TLS");
    let health = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    kept.write_all(health).expect("sent");
    read_until(&mut kept, b"}");
    let mut busy = connect(b"http/1.1").expect("TLS");
    busy.write_all(GET.as_bytes()).expect("sent");
    read_until(&mut busy, b"first ");
    let mut h2 = connect(b"h2").expect("TLS");
    h2.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .expect("sent");
    assert_eq!(frame(&mut h2), SETTINGS);

    // The same authorities in other words: nobody has to come again.
    folder.write("clients.pem", &format!("\n{}", clients.certificate()));
    gateway.log_with("settings reloaded");
    kept.write_all(health).expect("sent");
    read_until(&mut kept, b"}");

    folder.write("clients.pem", &Authority::new().certificate());
    let mut rest = Vec::new();
    let ended = kept.read_to_end(&mut rest);
    // It ends at once, and not because of the patience here.
    let waited = ended.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    assert!(!waited && rest.is_empty(), "{}", rest.escape_ascii());
    while frame(&mut h2) != GOAWAY {}
    proceed.send(()).expect("upstream waits");
    read_until(&mut busy, b"last");
    assert!(
        connect(b"http/1.1")
            .and_then(|mut tls| ask(&mut tls))
            .is_err()
    );
}

const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

type Tls = rustls::StreamOwned<ClientConnection, TcpStream>;

fn connect(address: SocketAddr, config: ClientConfig) -> std::io::Result<Tls> {
    let name = ServerName::try_from("localhost").expect("name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("configuration");
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(rustls::StreamOwned::new(connection, stream))
}

fn ask(tls: &mut Tls) -> std::io::Result<String> {
    tls.write_all(GET.as_bytes())?;
    let mut response = String::new();
    tls.read_to_string(&mut response)?;
    Ok(response)
}

#[track_caller]
fn read_until(tls: &mut Tls, end: &[u8]) {
    let mut read = Vec::new();
    let mut octet = [0];
    while !read.windows(end.len()).any(|part| part == end) {
        let length = tls.read(&mut octet).expect("more");
        assert_ne!(length, 0, "ended behind {}", read.escape_ascii());
        read.extend(octet);
    }
}

/// Reads a frame of h2 and returns its type (RFC 9113 §4.1).
fn frame(tls: &mut Tls) -> u8 {
    let mut head = [0; 9];
    tls.read_exact(&mut head).expect("a frame");
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(length).expect("fits")];
    tls.read_exact(&mut payload).expect("a payload");
    head[3]
}
