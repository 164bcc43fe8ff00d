//! Proof that the library crates need no standard library.
#![no_std]

pub use ipsec_esp;
pub use ipsec_ike;
pub use l2tp_control;
pub use l2tp_ipsec;
pub use l2tp_wire;
pub use ppp_core;
pub use vpn_core;
pub use vpn_crypto;

#[global_allocator]
static HEAP: linked_list_allocator::LockedHeap = linked_list_allocator::LockedHeap::empty();

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
