//! Clients whose identifiers are addresses of this computer or network.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use portcullis_tests::Kind;

use super::host::{Host, REDIRECT, cases, refused};

#[test]
fn documents() {
    cases![
        no_internal_address_is_asked_for_a_document,
        documents_are_offered_where_they_can_be_fetched,
    ];
}

fn no_internal_address_is_asked_for_a_document(host: &Host<'_>) {
    let listeners = Listeners::start();
    let port = listeners.port;
    for at in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.255.255.254",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "0.0.0.0",
        "0",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.0.1",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[fd00::1]",
        "[fe80::1]",
        "[fe80::1%25lo]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "app.localhost",
        "ip6-localhost",
        "intranet",
        "app.internal",
        "app.local",
        "app.home.arpa",
        "app.example@127.0.0.1",
        "127.0.0.1%2f",
        "%31%32%37.0.0.1",
        "\u{ff11}27.0.0.1",
        "\u{24f5}27.0.0.1",
        "127\u{3002}0\u{3002}0\u{3002}1",
    ] {
        for client_id in [
            format!("https://{at}:{port}/client.json"),
            format!("http://{at}:{port}/client.json"),
            format!("https://{at}/client.json"),
        ] {
            let mut attempt = host.attempt();
            attempt.client.id = client_id;
            let request = host.site.request("GET", &attempt.target());
            let answer = host.site.send(&request);
            refused(&answer, 401, "invalid_client");
            let answer = host.site.redeem(&attempt, "code");
            refused(&answer, 401, "invalid_client");
        }
    }
    assert_eq!(listeners.stop(), 0, "somebody connected");
}

/// In Envoy no host without a cluster can be asked.
fn documents_are_offered_where_they_can_be_fetched(host: &Host<'_>) {
    let path = "/.well-known/oauth-authorization-server";
    let metadata = host.site.send(&host.site.request("GET", path)).json();
    let offered = metadata["client_id_metadata_document_supported"] == true;
    assert_eq!(offered, host.kind == Kind::Native, "{metadata}");
    if !offered {
        let mut attempt = host.attempt();
        attempt.client.id = "https://app.example/client.json".to_owned();
        attempt.client.redirect_uri = REDIRECT.to_owned();
        let answer = host.site.send(&host.site.request("GET", &attempt.target()));
        refused(&answer, 401, "invalid_client");
    }
}

/// Listeners on one port of both loopback addresses, which count who connects.
struct Listeners {
    port: u16,
    count: Arc<AtomicUsize>,
    running: Vec<(SocketAddr, thread::JoinHandle<()>)>,
}

impl Listeners {
    fn start() -> Self {
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = v4.local_addr().unwrap().port();
        let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port));
        let count = Arc::new(AtomicUsize::new(0));
        let running = [Ok(v4), v6].into_iter().flatten().map(|listener| {
            let (address, count) = (listener.local_addr().unwrap(), Arc::clone(&count));
            let counting = thread::spawn(move || {
                for stream in listener.incoming() {
                    drop(stream);
                    // The last one is who stops it.
                    if count.fetch_add(1, Ordering::SeqCst) >= STOP {
                        break;
                    }
                }
            });
            (address, counting)
        });
        Self {
            port,
            running: running.collect(),
            count,
        }
    }

    /// Returns how many connected. It connects itself, which shows that they would have been seen.
    fn stop(self) -> usize {
        let connected = self.count.fetch_add(STOP, Ordering::SeqCst);
        for (address, counting) in self.running {
            drop(TcpStream::connect(address).unwrap());
            counting.join().unwrap();
        }
        connected
    }
}

/// More than connect in a test.
const STOP: usize = 1 << 20;
