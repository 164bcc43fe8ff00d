//! What circuits are made of, over as many lanes as a value has bits.

/// Gates of two inputs.
pub(super) trait Two: Copy {
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    /// This and not the other.
    fn and_not(self, other: Self) -> Self;
    fn not(self) -> Self;
}

/// Gates of three inputs.
pub(super) trait Three: Copy {
    /// The function with the truth table `TABLE`: bit `4a + 2b + c` is the value for a, b and c.
    fn table<const TABLE: i32>(self, b: Self, c: Self) -> Self;
}
