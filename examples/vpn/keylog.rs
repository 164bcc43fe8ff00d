//! Keys, for Wireshark: a folder that is one of its profiles.

use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

use l2tp_ipsec::KeyLog;

/// What a profile must say for ESP to be opened.
const PREFERENCES: &str =
    "esp.enable_encryption_decode: TRUE\nesp.enable_authentication_check: TRUE\n";

/// Writes keys into the files of a Wireshark profile, which only their owner can read.
pub(crate) struct KeyFolder {
    folder: PathBuf,
}

impl KeyFolder {
    /// Makes the folder, or goes on with one that is there.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let keys = Self { folder: folder.into() };
        if !folder.join("preferences").exists() {
            keys.file("preferences")?.write_all(PREFERENCES.as_bytes())?;
        }
        for table in ["ikev1_decryption_table", "esp_sa"] {
            keys.file(table)?;
        }
        Ok(keys)
    }

    /// Adds a key to the table that it belongs to.
    pub(crate) fn write(&self, key: &KeyLog) {
        let (table, lines) = key.wireshark();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let written = self.file(table).and_then(|mut file| file.write_all(text.as_bytes()));
        if let Err(error) = written {
            tracing::warn!(%error, table, "a key was not logged");
        }
    }

    fn file(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).mode(0o600).open(self.folder.join(name))
    }
}
