//! The arguments of one host call, in the memory of the module.

use wasmi::{Caller, Error, Memory, Val};

use crate::host::Host;

/// A host call that is under way.
pub(crate) struct Arguments<'a> {
    caller: Caller<'a, Host>,
    values: &'a [Val],
    memory: Memory,
}

impl<'a> Arguments<'a> {
    /// Takes what the module gave.
    pub(crate) fn new(caller: Caller<'a, Host>, values: &'a [Val]) -> Self {
        let memory = caller.get_export("memory").unwrap().into_memory().unwrap();
        Self {
            caller,
            values,
            memory,
        }
    }

    /// Returns the state of the host.
    pub(crate) fn host(&mut self) -> &mut Host {
        self.caller.data_mut()
    }

    /// Returns the argument at `index`.
    pub(crate) fn number(&self, index: usize) -> usize {
        let value = self.values[index].i32().unwrap();
        usize::try_from(value.cast_unsigned()).unwrap()
    }

    /// Returns the bytes whose place and length are the arguments from `index` on.
    pub(crate) fn bytes(&self, index: usize) -> Vec<u8> {
        let (place, length) = (self.number(index), self.number(index + 1));
        self.memory.data(&self.caller)[place..place + length].to_vec()
    }

    /// As [`Self::bytes`], for text.
    pub(crate) fn text(&self, index: usize) -> String {
        String::from_utf8(self.bytes(index)).unwrap()
    }

    /// Writes `bytes` to the place that is the argument at `index`.
    pub(crate) fn write(&mut self, index: usize, bytes: &[u8]) {
        let place = self.number(index);
        self.memory.write(&mut self.caller, place, bytes).unwrap();
    }

    /// Fills the bytes whose place and length are the arguments from `index` on.
    pub(crate) fn fill(&mut self, index: usize, byte: u8) {
        let length = self.number(index + 1);
        self.write(index, &vec![byte; length]);
    }

    /// Hands `bytes` over in memory that the module allocates for them; the arguments from `index`
    /// on are the places for its address and its length.
    pub(crate) fn give(&mut self, index: usize, bytes: &[u8]) -> Result<(), Error> {
        let mut address = 0;
        if !bytes.is_empty() {
            let allocate = self.caller.get_export("proxy_on_memory_allocate");
            let allocate = allocate.and_then(wasmi::Extern::into_func).unwrap();
            let allocate = allocate.typed::<i32, i32>(&self.caller)?;
            self.host().allocations += 1;
            address = allocate.call(&mut self.caller, i32::try_from(bytes.len()).unwrap())?;
            let place = usize::try_from(address.cast_unsigned()).unwrap();
            self.memory.write(&mut self.caller, place, bytes).unwrap();
        }
        self.write(index, &address.to_le_bytes());
        let length = u32::try_from(bytes.len()).unwrap();
        self.write(index + 1, &length.to_le_bytes());
        Ok(())
    }
}
