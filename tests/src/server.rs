//! A small threaded HTTP/1.1 server that can misbehave in every way that a peer can.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use crate::wire::{self, Fields};

/// A request as a server of the harness saw it.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The method.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Header fields in order, names in lower case.
    pub fields: Fields,
    /// The body, without its framing.
    pub body: Vec<u8>,
}

impl Incoming {
    /// Returns the first value of the field `name` (lower case) as text.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<String> {
        wire::value(&self.fields, name).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// Makes an answer without a body.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            fields: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Makes an answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status)
            .field("content-type", "application/json")
            .body(body.to_string())
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Status\r\n", self.status);
        for (name, value) in &self.fields {
            head += &format!("{name}: {value}\r\n");
        }
        if self.status != 204 && self.status != 304 {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        head + "\r\n"
    }

    fn has_no_body(&self, method: &str) -> bool {
        method == "HEAD" || matches!(self.status, 204 | 304)
    }
}

/// What a server does with a request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Answers.
    Answer(Answer),
    /// Waits for the gate, then goes on.
    Held(Gate, Box<Self>),
    /// Goes on after this time.
    Late(Duration, Box<Self>),
    /// Never answers, and keeps the connection.
    Silent,
    /// Sends the head and half of the body, then closes.
    Cut(Answer),
    /// Closes without a byte.
    Close,
    /// Sends these bytes, whatever they are, then closes.
    Raw(Vec<u8>),
    /// Sends server-sent events, each in a chunk of its own.
    Events(Vec<Event>),
    /// Sends a stream's head and a comment, waits until the peer leaves, and opens the gate.
    Open(Gate),
}

impl Behaviour {
    /// Answers with JSON.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::Answer(Answer::json(status, body))
    }

    /// Answers with a bare status.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self::Answer(Answer::new(status))
    }
}

/// One step of [`Behaviour::Events`].
#[derive(Clone, Debug)]
pub enum Event {
    /// Sends one event with this data.
    Data(String),
    /// Waits for the gate.
    Wait(Gate),
}

/// A gate that holds answers back until it is opened, so that tests wait for conditions and not
/// for time.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// Opens the gate for good.
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// Waits until it is open, and closes it again; false when that takes too long.
    pub fn take(&self) -> bool {
        let open = self.0.0.lock().unwrap();
        let waited = self.0.1.wait_timeout_while(open, PATIENCE, |open| !*open);
        let mut open = waited.unwrap().0;
        std::mem::take(&mut *open)
    }

    fn wait(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
}

impl Server {
    /// Starts a server on a free loopback port; `handle` decides what to do with each request.
    pub fn start(handle: impl Fn(Incoming) -> Behaviour + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stopping = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stopping);
        let handle = Arc::new(handle);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let handle = Arc::clone(&handle);
                // Errors of a connection are the peer's business: the test looks at its answer.
                thread::spawn(move || serve(stream, handle.as_ref()));
            }
        });
        Self { address, stopping }
    }

    /// Returns the address it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // The accept loop looks at the flag when somebody connects.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(stream: TcpStream, handle: &dyn Fn(Incoming) -> Behaviour) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(head) = wire::read_head(&mut reader)? {
        let body = wire::read_body(&mut reader, &head.fields, false)?;
        let mut words = head.start.split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let incoming = Incoming {
            method: word(),
            target: word(),
            fields: head.fields,
            body,
        };
        let method = incoming.method.clone();
        if !perform(handle(incoming), &method, &mut reader)? {
            break;
        }
    }
    Ok(())
}

/// Carries out a behaviour; false ends the connection.
fn perform(
    behaviour: Behaviour,
    method: &str,
    reader: &mut BufReader<TcpStream>,
) -> io::Result<bool> {
    let stream = reader.get_mut();
    match behaviour {
        Behaviour::Answer(answer) => {
            let mut bytes = answer.head().into_bytes();
            if !answer.has_no_body(method) {
                bytes.extend(&answer.body);
            }
            stream.write_all(&bytes)?;
            Ok(true)
        }
        Behaviour::Held(gate, then) => {
            gate.wait();
            perform(*then, method, reader)
        }
        Behaviour::Late(late, then) => {
            thread::sleep(late);
            perform(*then, method, reader)
        }
        Behaviour::Silent => {
            reader.read_to_end(&mut Vec::new())?;
            Ok(false)
        }
        Behaviour::Cut(answer) => {
            stream.write_all(answer.head().as_bytes())?;
            stream.write_all(&answer.body[..answer.body.len() / 2])?;
            Ok(false)
        }
        Behaviour::Close => Ok(false),
        Behaviour::Raw(bytes) => {
            stream.write_all(&bytes)?;
            Ok(false)
        }
        Behaviour::Open(gate) => {
            stream.write_all(STREAM)?;
            write_chunk(stream, ": still here\n\n")?;
            // However it leaves, it has left.
            drop(reader.read_to_end(&mut Vec::new()));
            gate.open();
            Ok(false)
        }
        Behaviour::Events(events) => {
            stream.write_all(STREAM)?;
            for event in events {
                match event {
                    Event::Data(data) => write_chunk(stream, &format!("data: {data}\n\n"))?,
                    Event::Wait(gate) => gate.wait(),
                }
            }
            stream.write_all(b"0\r\n\r\n")?;
            Ok(true)
        }
    }
}

/// The head of a stream of events.
const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    cache-control: no-cache\r\nx-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n";

/// How long a test waits for a gate that the other side opens.
const PATIENCE: Duration = Duration::from_secs(20);

fn write_chunk(stream: &mut TcpStream, text: &str) -> io::Result<()> {
    write!(stream, "{:x}\r\n{text}\r\n", text.len())
}
