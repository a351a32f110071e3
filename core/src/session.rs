//! placeholder
use crate::decision::HeaderEdits;
#[derive(Debug)]
pub(crate) struct SessionBinding;
impl SessionBinding {
    pub(crate) fn bind_response(&self, _headers: &[(&str, &[u8])], _edits: &mut HeaderEdits) {}
}
