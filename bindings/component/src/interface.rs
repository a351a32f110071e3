//! What the generator makes of the interface; nothing is written by hand here.

wit_bindgen::generate!({ world: "portcullis", path: "wit" });

export!(Component with_types_in crate::interface);

use crate::Component;
