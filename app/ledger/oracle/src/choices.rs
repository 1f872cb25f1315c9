//! Choices read off bytes: what a fuzzer changes and a property shrinks. Where the bytes end, every choice is the first.

/// A stream of choices.
#[derive(Debug)]
pub struct Choices<'b>(&'b [u8]);

impl<'b> Choices<'b> {
    /// Off these bytes.
    #[must_use]
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left to choose by.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// One of `bound`, up to 256.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound.max(1)
    }

    /// Once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) + 1 == times
    }

    /// One of a list.
    pub fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    /// A number from 0 to `max` of any size: how many bytes it has is chosen first, so that small ones are frequent.
    pub fn up_to(&mut self, max: i128) -> i128 {
        let width = self.below(12);
        let value = (0..width).fold(0_i128, |value, _| value << 8 | i128::from(self.byte()));
        // The end itself is where things break.
        if width == 11 && value % 2 == 0 { (max - value % 4).max(0) } else { value % (max + 1) }
    }
}
