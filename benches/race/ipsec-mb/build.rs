//! Compiles the shim and links the system's library.

fn main() {
    println!("cargo::rerun-if-changed=shim.c");
    cc::Build::new().file("shim.c").opt_level(2).warnings(true).compile("race_ipsec_mb");
    println!("cargo::rustc-link-lib=IPSec_MB");
}
