/** Names of fields that say what is done with what they hold: in any case, with dashes, underscores or none. */

/** The longest name that is judged. */
const longest = 64

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "")

/** Whether a name is one of a list. */
const oneOf = (...lists: ReadonlyArray<string>): ((name: string) => boolean) => {
  const names = new Set(lists.flatMap((list) => list.split(" ")))
  return (name) => name.length <= longest && names.has(plain(name))
}

const isSecret = oneOf(
  "password passwd pwd passphrase passcode secret secrets token tokens auth authorization proxyauthorization cookie",
  "cookies setcookie apikey xapikey accesskey accesskeyid secretaccesskey secretkey privatekey clientsecret",
  "accesstoken refreshtoken idtoken authtoken bearertoken sessiontoken csrftoken xcsrftoken xsrftoken session",
  "sessionid sid credential credentials signature sig jwt otp totp mfacode pin cvv cvc cvv2 cardnumber ccnumber",
  "creditcard iban ssn xappwritekey xappwritejwt xappwriteuserjwt xappwritesession xappwritedevkey connectionstring",
  "xamzsecuritytoken xamzsignature xamzcredential xgoogapikey encryptionkey signingkey signingsecret webhooksecret",
  "masterkey sharedkey accountkey hashedpassword pass bearer dsn pan apikeys passwords sessionkey hmackey",
  "otpcode verificationcode recoverycode recoverycodes securitycode authheader cookieheader rawheaders xauth xvaulttoken"
)
const secretEnd =
  /(?:password|passwd|passphrase|secret|apikey|accesskey|secretkey|privatekey|(?<!page|next|continuation|cursor|sync)token|(?<!com|by|tres|under|over|sur)pass|authcookie|sessioncookie|jwt)(?:hash|value|confirm|confirmation|\d{1,3})?$/

const environmentKey = /^(?:[A-Z0-9]+_)+(?<!(?:PRIMARY|SORT|CACHE|PARTITION|FOREIGN|PUBLIC|UNIQUE)_)KEY$/

/** Whether what a field of this name holds is secret whatever it is. */
export const secretName = (name: string): boolean =>
  // As the environment has them.
  name.length <= longest && (environmentKey.test(name) || isSecret(name) || secretEnd.test(plain(name)))

/** Whether a field of this name holds an address of a client. */
export const addressName = oneOf(
  "ip ipaddress clientip remoteip remoteaddr remoteaddress sourceip peeraddress clientaddress",
  "xforwardedfor xrealip xappwriteclientip"
)

/** Whether a field of this name holds who somebody is. */
export const userName = oneOf("user userid userids xappwriteuserid email emails useremail emailaddress mail")
