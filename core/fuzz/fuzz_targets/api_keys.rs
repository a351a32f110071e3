#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis_core_fuzz::api_keys(data));
