//! A profile that its first row makes, so that an empty group takes no memory.
use datafusion::common::Result;

use crate::kernel::KernelError;
use crate::kernel::multiclass::{ClassEstimates, MulticlassProfile, WeightedClasses};
use crate::kernel::regression::LossEstimates;

/// A profile whose classes or losses only rows can tell.
pub trait Stored: Sized {
    /// Canonical bytes.
    fn to_bytes(&mut self) -> Vec<u8>;

    /// Reads [`Stored::to_bytes`].
    fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError>;

    /// Whether the bytes are whole and of this kind; what they hold is not read.
    fn check_bytes(bytes: &[u8]) -> Result<(), KernelError>;

    /// Adds the rows of a profile given as bytes.
    fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError>;

    /// Bytes on the heap.
    fn heap_size(&self) -> usize;
}

macro_rules! stored {
    ($($profile:ty),*) => {$(
        impl Stored for $profile {
            fn to_bytes(&mut self) -> Vec<u8> {
                Self::to_bytes(self)
            }

            fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
                Self::from_bytes(bytes)
            }

            fn check_bytes(bytes: &[u8]) -> Result<(), KernelError> {
                Self::check_bytes(bytes)
            }

            fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
                Self::merge_bytes(self, bytes)
            }

            fn heap_size(&self) -> usize {
                Self::heap_size(self)
            }
        }
    )*};
}

stored!(
    MulticlassProfile,
    WeightedClasses,
    ClassEstimates,
    LossEstimates
);

/// A profile that rows or states make; its state without rows is no bytes.
///
/// One state alone stays what it is, bytes: where a group came whole from one partition they are its result, and to read and
/// write them would be in vain.
#[derive(Debug)]
pub struct Lazy<P> {
    profile: Option<P>,
    /// The only state so far.
    state: Option<Vec<u8>>,
}

impl<P> Default for Lazy<P> {
    fn default() -> Self {
        Self {
            profile: None,
            state: None,
        }
    }
}

impl<P: Stored> Lazy<P> {
    /// The profile, which the first row makes.
    #[inline]
    pub fn or_new(&mut self, new: impl FnOnce() -> Result<P, KernelError>) -> Result<&mut P> {
        if self.state.is_some() {
            self.read()?;
        }
        match &mut self.profile {
            Some(profile) => Ok(profile),
            none => Ok(none.insert(new()?)),
        }
    }

    /// Turns a state into the profile.
    #[cold]
    fn read(&mut self) -> Result<()> {
        if let Some(state) = self.state.take() {
            self.profile = Some(P::from_bytes(&state)?);
        }
        Ok(())
    }

    /// Adds what [`Lazy::state`] wrote.
    pub fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        if state.is_empty() {
            return Ok(());
        }
        self.read()?;
        match &mut self.profile {
            Some(profile) => profile.merge_bytes(state)?,
            None => {
                P::check_bytes(state)?;
                self.state = Some(state.to_vec());
            }
        }
        Ok(())
    }

    /// Canonical bytes.
    pub fn state(&mut self) -> Vec<u8> {
        match (&self.state, &mut self.profile) {
            (Some(state), _) => state.clone(),
            (None, profile) => profile.as_mut().map(P::to_bytes).unwrap_or_default(),
        }
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        self.profile.as_ref().map_or(0, P::heap_size) + self.state.as_ref().map_or(0, Vec::capacity)
    }
}
