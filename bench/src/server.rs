//! The servers behind and beside the contenders, as cheap as they can be: one thread, no logic.
//!
//! They run as processes of their own, so that their processor time can be told from that of the
//! contenders.

use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};

use crate::http::whole_message;

/// The session id that the protected resource gives.
pub(crate) const SESSION: &str = "0f4c7d2e-6f0b-4a5e-9c39-2f6d1f3c6a11";

const LISTENER: Token = Token(usize::MAX);

/// The answers of a server, whole.
struct Answers {
    other: Vec<u8>,
    session: Vec<u8>,
    stream: Vec<u8>,
    jwks: Vec<u8>,
    token: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    output: Vec<u8>,
}

/// Serves for ever: the protected resource with an authorization server on the side, or, when
/// `folder` has no `jwks.json`, a service that says yes to everything.
pub(crate) fn serve(folder: &Path) {
    let answers = Answers::new(folder);
    let mut poll = Poll::new().unwrap();
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let readable = Interest::READABLE;
    poll.registry()
        .register(&mut listener, LISTENER, readable)
        .unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut events = Events::with_capacity(1024);
    loop {
        poll.poll(&mut events, None).unwrap();
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &mut connections, poll.registry());
            } else if let Some(slot) = connections.get_mut(event.token().0)
                && slot.as_mut().is_some_and(|peer| !peer.advance(&answers))
            {
                *slot = None;
            }
        }
    }
}

fn accept(listener: &TcpListener, connections: &mut Vec<Option<Connection>>, registry: &Registry) {
    while let Ok((mut stream, _)) = listener.accept() {
        stream.set_nodelay(true).unwrap();
        let free = connections.iter().position(Option::is_none);
        let index = free.unwrap_or_else(|| {
            connections.push(None);
            connections.len() - 1
        });
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut stream, Token(index), both).unwrap();
        connections[index] = Some(Connection {
            stream,
            input: Vec::new(),
            output: Vec::new(),
        });
    }
}

impl Connection {
    /// Reads, answers and writes as far as it goes; false when the connection is over.
    fn advance(&mut self, answers: &Answers) -> bool {
        let open = read_all(&mut self.stream, &mut self.input);
        while let Some(message) = whole_message(&self.input) {
            self.output.extend(answers.of(&self.input[..message.head]));
            self.input.drain(..message.total);
        }
        write_all(&mut self.stream, &mut self.output) && open
    }
}

/// Reads what is there; false when the peer has closed.
pub(crate) fn read_all(stream: &mut TcpStream, input: &mut Vec<u8>) -> bool {
    let mut chunk = [0; 16 * 1024];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return false,
            Ok(count) => {
                input.extend(&chunk[..count]);
                // A short read has emptied the socket; an edge announces what comes later.
                if count < chunk.len() {
                    return true;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}

/// Writes what the socket takes; false when the peer has closed.
pub(crate) fn write_all(stream: &mut TcpStream, output: &mut Vec<u8>) -> bool {
    while !output.is_empty() {
        match stream.write(output) {
            Ok(count) => drop(output.drain(..count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    true
}

impl Answers {
    fn new(folder: &Path) -> Self {
        let json = |fields: &str, body: &str| {
            let length = body.len();
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{fields}\
                 content-length: {length}\r\n\r\n{body}"
            )
            .into_bytes()
        };
        let result =
            r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}]}}"#;
        let grant = r#"{"access_token":"opaque","token_type":"Bearer","expires_in":3600}"#;
        let Ok(jwks) = std::fs::read_to_string(folder.join("jwks.json")) else {
            let yes = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
            return Self {
                other: yes.clone(),
                session: yes.clone(),
                stream: yes.clone(),
                jwks: yes.clone(),
                token: yes,
            };
        };
        let event = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n";
        Self {
            other: json("", result),
            session: json(&format!("mcp-session-id: {SESSION}\r\n"), result),
            stream: format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                 transfer-encoding: chunked\r\n\r\n{:x}\r\n{event}\r\n",
                event.len()
            )
            .into_bytes(),
            jwks: json("cache-control: max-age=3600\r\n", &jwks),
            token: json("", grant),
        }
    }

    fn of(&self, head: &[u8]) -> &[u8] {
        let mut words = head.split(|byte| *byte == b' ');
        match (words.next(), words.next()) {
            (Some(b"GET"), Some(b"/sse")) => &self.stream,
            (Some(b"GET"), Some(b"/jwks")) => &self.jwks,
            (_, Some(b"/oauth2/v1/token")) => &self.token,
            (_, Some(b"/initialize")) => &self.session,
            _ => &self.other,
        }
    }
}
