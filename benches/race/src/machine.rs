//! What the race runs on, and with.

use std::fs;

use vpn_core::crypto::EspSuite;

/// The lines that stand above the tables.
pub(crate) fn describe(suites: &[EspSuite]) -> Vec<String> {
    let mut lines = vec![format!("Processor: {}.", processor()), instructions()];
    let paths = suites.iter().map(|suite| format!("{suite} {}", vpn_crypto::esp::path(*suite)));
    lines.push(format!("Paths of ours: {}.", paths.collect::<Vec<_>>().join(", ")));
    lines.extend(versions());
    lines
}

/// As `/proc/cpuinfo` names it.
pub(crate) fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.split(':').next().map(str::trim) == Some(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let name = field("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    match (field("cpu family"), field("model")) {
        (Some(family), Some(model)) => format!("{name}, family {family}, model {model}"),
        _ => name,
    }
}

#[cfg(target_arch = "x86_64")]
fn instructions() -> String {
    let mut lacks = Vec::new();
    let mut has = Vec::new();
    macro_rules! ask {
        ($($name:literal = $feature:tt),* $(,)?) => {
            $(if std::arch::is_x86_feature_detected!($feature) { &mut has } else { &mut lacks }
                .push($name);)*
        };
    }
    ask! {
        "AES-NI" = "aes", "SHA-NI" = "sha", "PCLMULQDQ" = "pclmulqdq", "AVX2" = "avx2",
        "VAES" = "vaes", "VPCLMULQDQ" = "vpclmulqdq", "AVX-512 F" = "avx512f",
        "AVX-512 IFMA" = "avx512ifma",
    }
    let mut text = format!("Instructions: {}.", has.join(", "));
    if !lacks.is_empty() {
        text += &format!(" **Not there: {}.**", lacks.join(", "));
    }
    let needed = ["AES-NI", "SHA-NI", "VAES"];
    if lacks.iter().any(|lack| needed.contains(lack)) {
        text += " The goals are for a processor with AES-NI, VAES and SHA-NI, which this is not.";
    }
    text
}

#[cfg(not(target_arch = "x86_64"))]
fn instructions() -> String {
    "Instructions: **not an x86-64 processor, so that ours is the portable code; the goals are for \
     one with AES-NI, VAES and SHA-NI.**"
        .to_owned()
}

#[cfg(feature = "peers")]
fn versions() -> Vec<String> {
    let locked = |name: &str| {
        let lock = include_str!("../Cargo.lock");
        let after = lock.split(&format!("name = \"{name}\"\nversion = \"")).nth(1);
        let version = after.and_then(|text| text.split('"').next());
        format!("{name} {}", version.unwrap_or("?"))
    };
    let crates = [
        "ring",
        "aws-lc-rs",
        "aes",
        "cbc",
        "des",
        "hmac",
        "sha1",
        "sha2",
        "aes-gcm",
        "crypto-bigint",
    ];
    let openssl = openssl::version::version();
    let mut versions: Vec<_> = crates.into_iter().map(locked).collect();
    versions.push(openssl.split(' ').take(2).collect::<Vec<_>>().join(" "));
    versions.push(format!("intel-ipsec-mb {}", crate::peers::ipsec_mb_version()));
    vec![format!("Versions: {}.", versions.join(", "))]
}

#[cfg(not(feature = "peers"))]
fn versions() -> Vec<String> {
    vec!["Built without the peers: enable feature `peers`.".to_owned()]
}
