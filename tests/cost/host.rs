//! The state of the test host.

use std::collections::{BTreeMap, VecDeque};

use portcullis_tests::signing::base64url;
use serde_json::{Value, json};

/// A list of header fields.
pub(crate) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// The time that never passes, in nanoseconds since 1970.
pub(crate) const NOW: u64 = 1_800_000_000_000_000_000;

/// What the host will do once the module has returned.
#[derive(Debug)]
pub(crate) enum Event {
    /// Say that a queue holds a message.
    Queue(u32),
    /// Deliver the response to a call.
    Response {
        /// The call.
        token: u32,
        /// Its header fields.
        fields: Fields,
        /// Its body.
        body: Vec<u8>,
    },
}

/// Everything that host calls read and write, and what is counted.
#[derive(Default)]
pub(crate) struct Host {
    /// The plugin configuration.
    pub(crate) configuration: Vec<u8>,
    /// What the authorization server publishes.
    pub(crate) jwks: Value,
    /// Header fields by kind of map, as the ABI numbers them.
    pub(crate) maps: BTreeMap<usize, Fields>,
    /// The body of the response that is being delivered.
    pub(crate) body: Vec<u8>,
    /// What is to be done.
    pub(crate) events: VecDeque<Event>,
    /// Messages in queues, which all have the id 1 here.
    pub(crate) queue: VecDeque<Vec<u8>>,
    /// Shared data.
    pub(crate) shared: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Metrics by name; their ids are their places.
    pub(crate) metrics: Vec<String>,
    /// The status of the answer that the module gave by itself, if any.
    pub(crate) answered: Option<usize>,
    /// How many host calls there were, by name.
    pub(crate) calls: BTreeMap<String, usize>,
    /// How often the host had the module allocate memory.
    pub(crate) allocations: usize,
    /// Lines that the module logged.
    pub(crate) log: Vec<String>,
}

impl Host {
    /// Answers an upstream call with these fields, as an authorization server would.
    pub(crate) fn answer_call(&mut self, request: &Fields) -> u32 {
        let method = request.iter().find(|(name, _)| name == b":method");
        let body = if method.is_some_and(|(_, value)| value == b"GET") {
            self.jwks.to_string()
        } else {
            json!({"access_token": base64url([7; 32]), "expires_in": 3600}).to_string()
        };
        let token = 7;
        self.events.push_back(Event::Response {
            token,
            fields: vec![(b":status".to_vec(), b"200".to_vec())],
            body: body.into_bytes(),
        });
        token
    }

    /// Returns the values of the field `name` in the map `kind`.
    pub(crate) fn values(&self, kind: usize, name: &str) -> Vec<&[u8]> {
        let fields = self.maps.get(&kind).into_iter().flatten();
        fields
            .filter(|(field, _)| field == name.as_bytes())
            .map(|(_, value)| value.as_slice())
            .collect()
    }

    /// Takes the field `name` out of the map `kind`.
    pub(crate) fn remove(&mut self, kind: usize, name: &[u8]) {
        self.maps
            .entry(kind)
            .or_default()
            .retain(|(field, _)| field != name);
    }

    /// Appends a field to the map `kind`.
    pub(crate) fn add(&mut self, kind: usize, name: Vec<u8>, value: Vec<u8>) {
        self.maps.entry(kind).or_default().push((name, value));
    }
}

/// Writes fields as the ABI does: their number, their lengths, then each ended by a zero.
pub(crate) fn pack(fields: &Fields) -> Vec<u8> {
    let number = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
    let mut packed = number(fields.len()).to_vec();
    for (name, value) in fields {
        packed.extend(number(name.len()));
        packed.extend(number(value.len()));
    }
    for (name, value) in fields {
        for part in [name, value] {
            packed.extend(part);
            packed.push(0);
        }
    }
    packed
}

/// Reads what [`pack`] writes.
pub(crate) fn unpack(packed: &[u8]) -> Fields {
    let number = |at: usize| {
        let bytes = packed[at..at + 4].try_into().unwrap();
        usize::try_from(u32::from_le_bytes(bytes)).unwrap()
    };
    if packed.is_empty() {
        return Fields::new();
    }
    let count = number(0);
    let mut from = 4 + 8 * count;
    let mut take = |length: usize| {
        let part = packed[from..from + length].to_vec();
        from += length + 1;
        part
    };
    (0..count)
        .map(|index| {
            let name = take(number(4 + 8 * index));
            (name, take(number(8 + 8 * index)))
        })
        .collect()
}
