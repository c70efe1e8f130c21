package linkage

import "strings"

// untitled takes forms of address off a name: "anh hồng" is "hồng", "mr john
// smith" is "john smith". A name that is nothing else stays.
func untitled(s string) string {
	for {
		first, rest, ok := strings.Cut(s, " ")
		if !ok || !titles[strings.TrimRight(first, ".")] {
			return s
		}
		s = rest
	}
}

var titles = set("anh", "chị", "chi", "ông", "bà", "cô", "chú", "bác", "em", "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "dame", "ts", "ths", "bs", "gs", "pgs")

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}

// HouseholdName tells that a name is only what somebody is called at home: a
// home name alone ("Tèo"), or a child's address before one word ("bé Na", "cu
// Tý"). Vietnamese families give such names beside the registered one, often
// from a short list and meant to be plain, so that the name guards the child;
// they are in no document, and very many share one. Lê Trung Hoa, Họ và tên người
// Việt Nam (Nhà xuất bản Khoa học Xã hội, Hà Nội 2005), tells tên tục from tên
// chính. A full name that ends in such a word ("Nguyễn Văn Tý") is a name. Words
// are told by their marks: without them "bi" and "na" could be anything.
func HouseholdName(s string) bool {
	words := strings.Fields(untitled(clean(s)))
	switch len(words) {
	case 1:
		return homeNames[words[0]]
	case 2:
		return homeAddress[words[0]]
	}
	return false
}

// homeAddress are words put before the name of a child of the house.
var homeAddress = set("bé", "cu", "cái", "thằng", "nhóc", "út", "hĩm")

// homeNames are home names that are hardly ever registered alone.
var homeNames = set("bé", "cu", "út", "hĩm", "tèo", "tẹo", "tí", "tý", "tũn", "bống", "bờm", "cún", "mít", "sóc", "nhím", "tôm", "thỏ", "gấu", "cò", "nhóc")

// initial tells that the shorter of two words is how the longer is written short:
// its first letter or, in Vietnamese, its first consonant as it is spelled ("Ng."
// for Nguyễn, "Tr." for Trần, "Th." for Thị): the digraphs and the trigraph of the
// alphabet stand for one sound and are not taken apart.
func initial(short, long string) bool {
	return len(short) < len(long) && strings.HasPrefix(long, short) && (len(short) == 1 || onsets[short])
}

var onsets = set("ch", "gh", "gi", "kh", "ng", "ngh", "nh", "ph", "qu", "th", "tr")

// abbreviated writes the common words of addresses in one way.
func abbreviated(w string) string {
	if s, ok := addressWords[w]; ok {
		return s
	}
	return w
}

var addressWords = map[string]string{"street": "st", "str": "st", "road": "rd", "avenue": "ave", "av": "ave", "drive": "dr", "place": "pl", "court": "ct", "crescent": "cres",
	"lane": "ln", "boulevard": "blvd", "circuit": "cct", "close": "cl", "terrace": "tce", "parade": "pde", "highway": "hwy", "square": "sq", "village": "vlge",
	"p": "phuong", "q": "quan", "tp": "thanh", "tt": "thi", "d": "duong", "ng": "ngo", "so": "so"}

// nicknamed tells whether two given names are forms of one name.
func nicknamed(a, b string) bool {
	ga := nicknames[a]
	if ga == nil {
		return false
	}
	for _, g := range ga {
		for _, h := range nicknames[b] {
			if g == h {
				return true
			}
		}
	}
	return false
}

// nicknames gives the groups that a name belongs to. Names and their common
// short forms in English; other languages are learnt from the data.
var nicknames = func() map[string][]int16 {
	groups := []string{
		"william will willie bill billy willy liam", "robert rob bob bobby robbie bert robin", "richard dick rick ricky richie rich", "john jack johnny jon hank",
		"james jim jimmy jamie jem", "thomas tom tommy thom", "charles charlie chuck chas charley carl", "henry harry hal hank", "edward ed eddie ted ned teddy", "george georgie geo",
		"joseph joe joey jos", "samuel sam sammy", "frederick fred freddy freddie frederic", "alexander alex alec sandy sasha xander al", "albert al bert bertie", "alfred alf fred alfie al",
		"arthur art artie", "walter walt wally", "michael mike mick mickey micky mitch", "david dave davy davey", "daniel dan danny", "andrew andy drew", "anthony tony antony ant", "benjamin ben benny benjie",
		"christopher chris kit topher", "nicholas nick nicky nicolas", "matthew matt mat", "patrick pat paddy rick", "peter pete", "philip phil pip phillip", "stephen steve steven", "francis frank frankie fran",
		"lawrence larry laurie laurence lauri", "leonard len lenny leo", "nathaniel nat nate nathan", "theodore ted teddy theo", "timothy tim timmy", "gerald gerry jerry", "geoffrey geoff jeff jeffrey", "gilbert gil bert",
		"harold harry hal", "herbert herb bert", "hugh hughie", "jacob jake jack", "jeremiah jerry jeremy", "kenneth ken kenny", "raymond ray", "ronald ron ronnie", "donald don donnie", "douglas doug", "edmund ed ned ted",
		"edwin ed eddie", "ernest ernie", "eugene gene", "augustus gus august", "bartholomew bart batt bat", "bernard bernie", "cornelius neil corny", "abraham abe", "archibald archie", "reginald reg reggie", "rupert bert",
		"sidney sid sydney syd", "stanley stan", "victor vic", "vincent vince", "zachary zach zack", "joshua josh", "jonathan jon jonny nathan", "gregory greg", "martin marty", "maurice morris", "oliver ollie", "oswald ozzy oz",
		"elizabeth liz lizzie beth betty bess bessie eliza betsy lisa libby elsie", "margaret maggie meg peggy madge daisy marge rita greta", "mary molly polly mae may minnie", "katherine catherine kate kathy katie kitty cathy kathryn kit kay",
		"ann anne annie nancy anna hannah", "sarah sally sadie sara", "jane jenny janie janet", "martha mattie patty", "helen nell nellie ellen elle lena", "eleanor nell nellie ellie nora elinor lenora", "frances fanny fran frankie",
		"dorothy dot dolly dottie dora", "charlotte lottie charlie carrie", "caroline carrie carol caro lina", "susan sue susie suzy susanna susannah", "rebecca becky becca", "patricia pat patty tricia trish", "jennifer jen jenny jenn",
		"jessica jess jessie", "jacqueline jackie", "judith judy", "josephine jo josie", "victoria vicky tori vickie", "virginia ginny ginger", "theresa terry tess tessa teresa", "barbara barb babs", "christina chris tina christine chrissie",
		"deborah debbie deb debra", "florence flo florrie flossie", "gertrude gertie trudy", "harriet hattie harry", "isabella bella isabel izzy belle isabelle isobel", "louisa lou louise lulu", "matilda tilly mattie maud", "mildred millie",
		"penelope penny", "philippa pippa pip", "rosemary rose rosie", "alice allie ali", "amelia amy millie emily", "emma em emmy", "emily em emmy millie", "evelyn eve evie", "georgina georgie gina", "henrietta hetty etta", "samantha sam", "stephanie steph",
		"alexandra alex sandra sandy lexi", "abigail abby gail", "angela angie", "beatrice bea trixie", "cynthia cindy", "gwendolyn gwen", "joan joanna jo joanne", "lucy lucille lu", "nicola nicky nicole", "olivia liv livvy", "winifred winnie freda",
	}
	m := map[string][]int16{}
	for i, g := range groups {
		for _, n := range strings.Fields(g) {
			m[n] = append(m[n], int16(i))
		}
	}
	return m
}()
