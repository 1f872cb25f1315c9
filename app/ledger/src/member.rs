//! Who may change what a member is: beyond the table of [`crate::role`], owners look after themselves, and the last one
//! stays.

use crate::Refusal;
use crate::role::Role;

/// Whether `actor` may make somebody who is `from` a `to`; `None` is out of the org. `owners` counts those there are.
///
/// Leaving is the same question asked of oneself: `actor` and `from` are one's own role.
///
/// # Errors
/// [`Refusal::OwnersOnly`], [`Refusal::LastOwner`].
pub fn check_change(actor: Role, from: Role, to: Option<Role>, owners: i64) -> Result<(), Refusal> {
    check_making(actor, from)?;
    if let Some(to) = to {
        check_making(actor, to)?;
    }
    let stops_owning = from == Role::Owner && to != Some(Role::Owner);
    if stops_owning && owners <= 1 { Err(Refusal::LastOwner) } else { Ok(()) }
}

/// Whether `actor` may ask somebody to come as `role`.
///
/// # Errors
/// [`Refusal::OwnersOnly`].
pub fn check_making(actor: Role, role: Role) -> Result<(), Refusal> {
    if role == Role::Owner && actor != Role::Owner { Err(Refusal::OwnersOnly) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_owner_stays_an_owner_whoever_asks() {
        for to in [None, Some(Role::Admin), Some(Role::Member)] {
            assert_eq!(check_change(Role::Owner, Role::Owner, to, 1), Err(Refusal::LastOwner));
            assert_eq!(check_change(Role::Owner, Role::Owner, to, 2), Ok(()));
        }
        assert_eq!(check_change(Role::Owner, Role::Owner, Some(Role::Owner), 1), Ok(()));
    }

    #[test]
    fn nobody_but_an_owner_touches_owners() {
        for actor in Role::ALL.into_iter().filter(|actor| *actor != Role::Owner) {
            for to in Role::ALL.into_iter().map(Some).chain([None]) {
                assert_eq!(check_change(actor, Role::Owner, to, 9), Err(Refusal::OwnersOnly));
            }
            assert_eq!(check_change(actor, Role::Member, Some(Role::Owner), 9), Err(Refusal::OwnersOnly));
            assert_eq!(check_making(actor, Role::Owner), Err(Refusal::OwnersOnly));
            assert_eq!(check_change(actor, Role::Member, None, 1), Ok(()));
        }
    }
}
