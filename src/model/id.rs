//! Dense ids.

use std::fmt;
use std::sync::Arc;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index into arrays.
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// From an index into arrays. Instances hold fewer than 2^32 elements;
            /// the readers refuse more.
            pub fn from_index(index: usize) -> Self {
                debug_assert!(u32::try_from(index).is_ok());
                Self(index as u32)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id! {
    /// A VM of the instance.
    VmId
}
id! {
    /// A node of the instance.
    NodeId
}
id! {
    /// A resource of the instance.
    ResourceId
}

/// VMs: shared, so that a thousand constraints over one set keep it once.
pub type VmSet = Arc<[VmId]>;
/// Nodes: shared, so that a thousand constraints over one set keep it once.
pub type NodeSet = Arc<[NodeId]>;
