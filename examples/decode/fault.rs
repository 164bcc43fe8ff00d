use core::fmt;

/// What is wrong with a packet, and where: one sentence for the row's `error`.
#[derive(Debug)]
pub(crate) struct Fault(String);

impl Fault {
    /// A fault that `sentence` says in full.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says where a decoder's error happened.
pub(crate) trait At<T> {
    /// Puts `place` before the error.
    fn at(self, place: impl fmt::Display) -> Result<T, Fault>;
}

impl<T, E: fmt::Display> At<T> for Result<T, E> {
    fn at(self, place: impl fmt::Display) -> Result<T, Fault> {
        self.map_err(|error| Fault(format!("{place}: {error}")))
    }
}
