//! What the pages about people show.

use crate::server_fns::Moment;
use ledger::{Permission, Role};

/// The Members page.
#[derive(Debug, Clone)]
pub struct Members {
    /// Name of the org.
    pub org: String,
    /// What the viewer is there.
    pub role: Role,
    /// What the viewer is told where they may not manage members.
    pub may_not: Option<String>,
    /// Everybody.
    pub members: Vec<MemberLine>,
    /// Who was asked and has not answered.
    pub invitations: Vec<InvitationLine>,
    /// Whether mail goes anywhere.
    pub mail: bool,
    /// Whether the viewer is the only owner.
    pub last_owner: bool,
}

/// A member.
#[derive(Debug, Clone)]
pub struct MemberLine {
    /// In forms.
    pub id: i64,
    /// By which they sign in.
    pub email: String,
    /// What they are.
    pub role: Role,
    /// Since when.
    pub since: Moment,
    /// Whether a second factor is asked of them.
    pub second_factor: bool,
    /// Whether it is the viewer.
    pub you: bool,
    /// Whether the viewer may change what they are.
    pub changeable: bool,
}

/// An invitation.
#[derive(Debug, Clone)]
pub struct InvitationLine {
    /// In forms.
    pub id: i64,
    /// Where it went.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// Who asked.
    pub by: String,
    /// Until when the link works.
    pub until: Moment,
    /// Whether that is past.
    pub over: bool,
}

/// The Security page.
#[derive(Debug, Clone)]
pub struct Security {
    /// Whose account it is.
    pub email: String,
    /// How the second factor stands.
    pub factor: Factor,
    /// Their passkeys.
    pub passkeys: Passkeys,
    /// What the service elsewhere is called, and whether it signs them in; none where there is no such service.
    pub elsewhere: Option<(String, bool)>,
    /// Where they are signed in.
    pub sessions: Vec<SessionLine>,
}

/// How a second factor stands.
#[derive(Debug, Clone)]
pub enum Factor {
    /// Not set up.
    Off,
    /// Shown, to be confirmed by a code.
    Begun {
        /// The secret in groups of four.
        key: String,
        /// `otpauth://…`
        uri: String,
        /// The same as a picture: its width in modules, and the path of the dark ones.
        picture: Option<(usize, String)>,
    },
    /// Asked for.
    On {
        /// Since when.
        since: Moment,
        /// Recovery codes that are left.
        codes_left: i64,
    },
}

/// Somebody's passkeys.
#[derive(Debug, Clone)]
pub struct Passkeys {
    /// All, oldest first.
    pub lines: Vec<PasskeyLine>,
    /// Why none can be added, if none can.
    pub none: Option<&'static str>,
    /// Whether they signed in just now, so that no password is asked for.
    pub fresh: bool,
}

/// A passkey.
#[derive(Debug, Clone)]
pub struct PasskeyLine {
    /// In forms.
    pub id: i64,
    /// What its person calls it.
    pub name: String,
    /// When it was added.
    pub added: Moment,
    /// When it signed in last.
    pub used: Option<Moment>,
}

/// A signed-in browser.
#[derive(Debug, Clone)]
pub struct SessionLine {
    /// In forms.
    pub id: String,
    /// `Firefox on Linux`
    pub device: String,
    /// From where.
    pub address: String,
    /// When.
    pub created: Moment,
    /// Its last request.
    pub seen: Moment,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// What an invitation's link leads to.
#[derive(Debug, Clone)]
pub enum Invited {
    /// The link was used, taken back, or is over.
    Late,
    /// Somebody may join.
    Open {
        /// The org.
        org: String,
        /// Whom it is for.
        email: String,
        /// What they will be.
        role: Role,
        /// Who asked.
        by: String,
        /// How they join.
        way: Way,
    },
}

/// How somebody joins.
#[derive(Debug, Clone)]
pub enum Way {
    /// Signed in as who was invited: by a click.
    Click,
    /// There is an account: after signing in.
    SignIn,
    /// Signed in as somebody else.
    Other(String),
    /// With a new account.
    New,
}

/// Every permission with what each role may: the table that explains.
#[must_use]
pub fn table() -> Vec<(&'static str, [bool; 5])> {
    Permission::ALL.iter().map(|permission| (permission.words(), Role::ALL.map(|role| role.may(*permission)))).collect()
}
