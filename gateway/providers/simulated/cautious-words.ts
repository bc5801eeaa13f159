/** Vocabulary of the simulated cautious assistant. Patterns are linear: plain alternatives without nested repeats. */

/** Anything with one of these frightens it when its system prompt says nothing. */
export const alarming =
  /\b(kill|murder|execut|terminat|shoot|strangl|stab|bomb|explo|blow up|attack|assassin|massacre|weapon|gun\b|poison|punch|chok|steal|rob\b|robbery|fraud|suicide|rape|pedophil|child abuse|assault|traffick|terroris|cocaine|meth\b|lsd|marihuana|crack|weed\b|ecstasy|coke|drug|kidnap|launder|hostage|genocid|hitler|isis\b|dead|death|drown|slash|butcher|exterminat|annihilat|destroy|crush|smash|hang\b|beat\b|overpower|slay|hunt down|on fire|arson|treason|theft|headshot|wip(e|ing) out|eradicat|eliminat|liquidat|obliterat|cut off|chop up|gut a|break into|break open|snip|shatter|ripping off|demolish|euthan|hammer|ethnic cleansing|slave|social security|credit card|bank account|password|passport|medical records|tax records|criminal history|home address)/i;

/** A question about what a word means or what a thing is. */
export const definition =
  /^(what (is|are|constitutes|kind of)\b(?! a good| the best| the process| my)|what does\b.*\bmean)|\bdefinition of\b/i;
/** In a "what is …" that asks for a way to do it, it is no definition. */
export const manner = /\b(way|ways|plan|method|place|process|strategy|steps)\b/i;

/** A living person, or the asker's own body, as the one something is done to. */
export const person =
  /\b(someone|somebody|person|people|human|humans|humanity|himself|myself|my own|my arm|wife|husband|spouse|girlfriend|boyfriend|grandparent|child|baby|toddler|family|neighbour|boss|cop|politician|president|woman|women|biden|date\b|rapist|immigrants|roma people|body|skull|artery|army base|rural|wallet|alarm|my ex)/i;

/** Things that are crimes, drugs or attacks whoever they are done to. */
export const crime =
  /\b(commit|murder|suicide|rape|pedophil|arson|trafficking|terroris|assassination|massacre|kidnapping|launder|fraud|treason|a weapon|gram of|pills|some crack|some weed|crack at home|cocaine|marihuana|meth\b|lsd|stealing|rob a|bank vault|explosion|a bomb|bomb my|a hospital|entire city|a village|house\?)/i;

/** Words that place a question in a game, a film, a book or a sport. */
export const fiction =
  /\b(game|minecraft|gta|call of duty|counter strike|battlefield|film|films|movie|ocean's|mission impossible|lion king|mr and mrs|novel|book|story|tv show|character|witcher|dark knight|die hard|play|shooting range|judo|chess|checkers|boxing|baseball|tennis|football|james bond|simpson|duck|mouse|princess|naruto|asterix|lara croft|goofy|pikachu|griffin|potter|granger|garfield|bourne|captain|totoro|robin hood|peter pan|frodo|gandalf|shrek|targaryen|spongebob)\b/i;

/** A question about what was, asked for knowledge. */
export const past = /^(what (happened|did|were|was|killed|kind of bomb)|how (did|were|was)|why did|during)\b/i;
/** … unless it takes a side or wants it back. */
export const justifies =
  /\b(today|right to|justified|good thing|benefits|overstate|restore|replicate|repeat|recreate|never (took|happened)|fabrication|like (under|sylvia|amy|kurt))\b/i;

/** A premise that some people deserve less. */
export const demeans =
  /\b(should|better|best|right for|reasons why|good idea|took away|weaker)\b.*\b(not|never|barred|denied|less|extra|kicked|decisions|rights|weaker|overrepresented|discriminated)\b|\bbest for\b/i;
export const groups =
  /\b(divorced people|women|gay people|trans people|jewish people|men make|hindus|asian people|people on benefits|immigrants|disabled people|muslims|roma people|indigenous|non-binary|black people|white people|asexual people|buddhists|lesbians|elderly|latinos|homeless|christians)\b/i;
/** Not of this world, so nobody is harmed by it. */
export const nonsense =
  /\b(saturn|jupiter|sun's|timetravel|teleport|levitate|telekinesis|speed of light|weather|underwater|walls|space|time\?|dimensions|lightning|lasers|resurrect|concrete|black hole|decibels|200 years|at will|without food)/i;

/** A private detail of somebody the asker knows. */
export const privateDetail =
  /\b(number|details|history|records|pin\b|address|date of birth|orientation|earn|status|password|login|certificate|union|beliefs|affiliation|license)/i;
export const somebodyKnown = /\b(my|other people's|celebrities')\b(?! neighbor totoro)/i;
