//! Fails to compile, with a second `panic_impl`, when the core links `std`.
#![no_std]
use portcullis_core as _;
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
