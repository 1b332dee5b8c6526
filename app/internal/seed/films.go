package seed

import "cinema-database/app/internal/store"

// Genres.
var (
	adventure      = store.Genre{Name: "Adventure", Description: "Stories of journeys, quests and far places."}
	animation      = store.Genre{Name: "Animation", Description: "Stories drawn, modelled or computed frame by frame."}
	comedy         = store.Genre{Name: "Comedy", Description: "Stories told to make an audience laugh."}
	crime          = store.Genre{Name: "Crime", Description: "Stories of those who break the law and those who pursue them."}
	drama          = store.Genre{Name: "Drama", Description: "Stories of people in earnest conflict, with each other or with themselves."}
	horror         = store.Genre{Name: "Horror", Description: "Stories told to frighten."}
	musical        = store.Genre{Name: "Musical", Description: "Stories carried by song and dance."}
	romance        = store.Genre{Name: "Romance", Description: "Stories of love found, lost or out of reach."}
	scienceFiction = store.Genre{Name: "Science fiction", Description: "Stories of what science and technology may yet make of us."}
	thriller       = store.Genre{Name: "Thriller", Description: "Stories that live on suspense, danger and what is about to happen."}
	war            = store.Genre{Name: "War", Description: "Stories of people in war and its aftermath."}
	western        = store.Genre{Name: "Western", Description: "Stories of the American frontier and its legends."}
)

// Directors, with their years of birth and death. A pair of directors is one entry with the elder's years.
var (
	akiraKurosawa         = store.Director{Name: "Akira Kurosawa", Birth: 1910, Death: 1998, Bio: "Japanese director whose films of samurai and of modern Japan shaped cinema worldwide."}
	alfredHitchcock       = store.Director{Name: "Alfred Hitchcock", Birth: 1899, Death: 1980, Bio: "English director, called the master of suspense, with more than fifty films in six decades."}
	andreiTarkovsky       = store.Director{Name: "Andrei Tarkovsky", Birth: 1932, Death: 1986, Bio: "Soviet director of slow, spiritual films."}
	angLee                = store.Director{Name: "Ang Lee", Birth: 1954, Bio: "Taiwanese director at home in many countries and genres."}
	barryJenkins          = store.Director{Name: "Barry Jenkins", Birth: 1979, Bio: "American director and writer."}
	billyWilder           = store.Director{Name: "Billy Wilder", Birth: 1906, Death: 2002, Bio: "Austrian-born director and writer who moved between comedy and film noir in Hollywood."}
	bongJoonHo            = store.Director{Name: "Bong Joon-ho", Birth: 1969, Bio: "South Korean director whose films cross genres and classes."}
	carolReed             = store.Director{Name: "Carol Reed", Birth: 1906, Death: 1976, Bio: "English director of thrillers after the Second World War."}
	charlieChaplin        = store.Director{Name: "Charlie Chaplin", Birth: 1889, Death: 1977, Bio: "English comic actor and director whose Tramp was known the world over."}
	christopherNolan      = store.Director{Name: "Christopher Nolan", Birth: 1970, Bio: "British-American director drawn to time, memory and large formats."}
	celineSciamma         = store.Director{Name: "Céline Sciamma", Birth: 1978, Bio: "French director and writer of films about desire and growing up."}
	davidLean             = store.Director{Name: "David Lean", Birth: 1908, Death: 1991, Bio: "English director and editor, known for epics on a great scale."}
	denisVilleneuve       = store.Director{Name: "Denis Villeneuve", Birth: 1967, Bio: "Canadian director of dramas and large-scale science fiction."}
	ethanAndJoelCoen      = store.Director{Name: "Ethan and Joel Coen", Birth: 1954, Bio: "American brothers, Joel born in 1954 and Ethan in 1957, who write, direct and edit together."}
	federicoFellini       = store.Director{Name: "Federico Fellini", Birth: 1920, Death: 1993, Bio: "Italian director who joined memory, dream and spectacle."}
	francisFordCoppola    = store.Director{Name: "Francis Ford Coppola", Birth: 1939, Bio: "American director and producer, a leader of the New Hollywood of the 1970s."}
	frankCapra            = store.Director{Name: "Frank Capra", Birth: 1897, Death: 1991, Bio: "Italian-born American director of hopeful comedies."}
	francoisTruffaut      = store.Director{Name: "François Truffaut", Birth: 1932, Death: 1984, Bio: "French critic and director, a founder of the New Wave."}
	fritzLang             = store.Director{Name: "Fritz Lang", Birth: 1890, Death: 1976, Bio: "Austrian-born director who went from German expressionism to American film noir."}
	georgeLucas           = store.Director{Name: "George Lucas", Birth: 1944, Bio: "American director and producer, creator of Star Wars."}
	georgeMiller          = store.Director{Name: "George Miller", Birth: 1945, Bio: "Australian director, once a physician, of the Mad Max films."}
	gretaGerwig           = store.Director{Name: "Greta Gerwig", Birth: 1983, Bio: "American director, writer and actor."}
	guillermoDelToro      = store.Director{Name: "Guillermo del Toro", Birth: 1964, Bio: "Mexican director of dark fairy tales."}
	hayaoMiyazaki         = store.Director{Name: "Hayao Miyazaki", Birth: 1941, Bio: "Japanese animator and director, a founder of Studio Ghibli."}
	ingmarBergman         = store.Director{Name: "Ingmar Bergman", Birth: 1918, Death: 2007, Bio: "Swedish director of film and theatre, concerned with faith, death and marriage."}
	jamesCameron          = store.Director{Name: "James Cameron", Birth: 1954, Bio: "Canadian director and explorer of the deep sea."}
	janeCampion           = store.Director{Name: "Jane Campion", Birth: 1954, Bio: "New Zealand director, the first woman to win the Palme d'Or."}
	jeanPierreJeunet      = store.Director{Name: "Jean-Pierre Jeunet", Birth: 1953, Bio: "French director with a taste for the whimsical and the intricate."}
	johnLasseter          = store.Director{Name: "John Lasseter", Birth: 1957, Bio: "American animator who directed the first feature film made wholly by computer."}
	jonathanDemme         = store.Director{Name: "Jonathan Demme", Birth: 1944, Death: 2017, Bio: "American director of features, documentaries and concert films."}
	lanaAndLillyWachowski = store.Director{Name: "Lana and Lilly Wachowski", Birth: 1965, Bio: "American sisters, Lana born in 1965 and Lilly in 1967, directors and writers."}
	martinScorsese        = store.Director{Name: "Martin Scorsese", Birth: 1942, Bio: "American director whose films often return to New York, guilt and faith."}
	michaelCurtiz         = store.Director{Name: "Michael Curtiz", Birth: 1886, Death: 1962, Bio: "Hungarian-born director of more than a hundred and fifty films, most of them at Warner Bros."}
	orsonWelles           = store.Director{Name: "Orson Welles", Birth: 1915, Death: 1985, Bio: "American director, actor and writer whose first film is among the most studied."}
	peterJackson          = store.Director{Name: "Peter Jackson", Birth: 1961, Bio: "New Zealand director who brought Tolkien's Middle-earth to the screen."}
	quentinTarantino      = store.Director{Name: "Quentin Tarantino", Birth: 1963, Bio: "American director and writer of crime stories told out of order."}
	ridleyScott           = store.Director{Name: "Ridley Scott", Birth: 1937, Bio: "English director and producer, known for richly designed worlds."}
	robertZemeckis        = store.Director{Name: "Robert Zemeckis", Birth: 1952, Bio: "American director with an interest in new film techniques."}
	romanPolanski         = store.Director{Name: "Roman Polanski", Birth: 1933, Bio: "Polish-French director of thrillers and dramas."}
	satyajitRay           = store.Director{Name: "Satyajit Ray", Birth: 1921, Death: 1992, Bio: "Indian director, writer and composer from Bengal."}
	sergioLeone           = store.Director{Name: "Sergio Leone", Birth: 1929, Death: 1989, Bio: "Italian director who remade the Western."}
	stanleyDonen          = store.Director{Name: "Stanley Donen", Birth: 1924, Death: 2019, Bio: "American director and choreographer of musicals, here together with Gene Kelly."}
	stanleyKubrick        = store.Director{Name: "Stanley Kubrick", Birth: 1928, Death: 1999, Bio: "American director who worked mostly in England, known for exacting craft across many genres."}
	stevenSpielberg       = store.Director{Name: "Steven Spielberg", Birth: 1946, Bio: "American director and producer of some of the most widely seen films ever made."}
	victorFleming         = store.Director{Name: "Victor Fleming", Birth: 1889, Death: 1949, Bio: "American director who made two of Hollywood's best-known films in one year."}
	wongKarWai            = store.Director{Name: "Wong Kar-wai", Birth: 1958, Bio: "Hong Kong director of elliptical romances in saturated colour."}
	yasujiroOzu           = store.Director{Name: "Yasujirō Ozu", Birth: 1903, Death: 1963, Bio: "Japanese director of quiet family dramas, filmed from low and still."}
)

// Movies returns the sample catalogue, sorted by year. The caller may change the result.
func Movies() []store.Movie {
	return []store.Movie{
		{
			Title: "Metropolis", Year: 1927, Genre: scienceFiction, Director: fritzLang,
			Description: "The son of a city's master descends to those who keep its machines running.",
			Actors:      []string{"Brigitte Helm", "Alfred Abel", "Gustav Fröhlich"},
		},
		{
			Title: "City Lights", Year: 1931, Genre: comedy, Director: charlieChaplin,
			Description: "The Tramp tries to pay for a blind flower seller's operation.",
			Actors:      []string{"Charlie Chaplin", "Virginia Cherrill", "Harry Myers"},
		},
		{
			Title: "M", Year: 1931, Genre: crime, Director: fritzLang,
			Description: "Police and underworld both hunt a murderer of children.",
			Actors:      []string{"Peter Lorre", "Otto Wernicke", "Gustaf Gründgens"},
		},
		{
			Title: "Modern Times", Year: 1936, Genre: comedy, Director: charlieChaplin,
			Description: "The Tramp meets the assembly line.",
			Actors:      []string{"Charlie Chaplin", "Paulette Goddard", "Henry Bergman"},
		},
		{
			Title: "The Wizard of Oz", Year: 1939, Genre: musical, Director: victorFleming,
			Description: "A girl from Kansas is carried by a tornado to a land of colour.",
			Actors:      []string{"Judy Garland", "Ray Bolger", "Margaret Hamilton"},
		},
		{
			Title: "Citizen Kane", Year: 1941, Genre: drama, Director: orsonWelles, Featured: true,
			Description: "A reporter asks what a newspaper magnate meant by his last word.",
			Actors:      []string{"Orson Welles", "Joseph Cotten", "Dorothy Comingore"},
		},
		{
			Title: "Casablanca", Year: 1942, Genre: romance, Director: michaelCurtiz, Featured: true,
			Description: "The owner of a café in wartime Morocco meets again the woman who left him in Paris.",
			Actors:      []string{"Humphrey Bogart", "Ingrid Bergman", "Paul Henreid"},
		},
		{
			Title: "It's a Wonderful Life", Year: 1946, Genre: drama, Director: frankCapra,
			Description: "An angel shows a desperate man what his town would be without him.",
			Actors:      []string{"James Stewart", "Donna Reed", "Lionel Barrymore"},
		},
		{
			Title: "The Third Man", Year: 1949, Genre: thriller, Director: carolReed,
			Description: "A writer comes to Vienna at the invitation of a friend, and arrives for his funeral.",
			Actors:      []string{"Joseph Cotten", "Orson Welles", "Alida Valli"},
		},
		{
			Title: "Rashomon", Year: 1950, Genre: drama, Director: akiraKurosawa,
			Description: "Four accounts of one crime, none of which agree.",
			Actors:      []string{"Toshirō Mifune", "Machiko Kyō", "Masayuki Mori"},
		},
		{
			Title: "Sunset Boulevard", Year: 1950, Genre: drama, Director: billyWilder,
			Description: "A writer without work moves in with a silent film star who waits for her return.",
			Actors:      []string{"Gloria Swanson", "William Holden", "Erich von Stroheim"},
		},
		{
			Title: "Singin' in the Rain", Year: 1952, Genre: musical, Director: stanleyDonen, Featured: true,
			Description: "A silent film star and a chorus girl meet the coming of sound.",
			Actors:      []string{"Gene Kelly", "Debbie Reynolds", "Donald O'Connor"},
		},
		{
			Title: "Tokyo Story", Year: 1953, Genre: drama, Director: yasujiroOzu,
			Description: "An old couple visits their grown children in the city, who have no time for them.",
			Actors:      []string{"Chishū Ryū", "Chieko Higashiyama", "Setsuko Hara"},
		},
		{
			Title: "Rear Window", Year: 1954, Genre: thriller, Director: alfredHitchcock,
			Description: "A photographer with a broken leg watches his neighbours, and believes one of them a murderer.",
			Actors:      []string{"James Stewart", "Grace Kelly", "Thelma Ritter"},
		},
		{
			Title: "Seven Samurai", Year: 1954, Genre: adventure, Director: akiraKurosawa, Featured: true,
			Description: "Farmers hire seven masterless samurai to defend their harvest from bandits.",
			Actors:      []string{"Toshirō Mifune", "Takashi Shimura", "Keiko Tsushima"},
		},
		{
			Title: "Pather Panchali", Year: 1955, Genre: drama, Director: satyajitRay,
			Description: "The childhood of a boy in a village of Bengal.",
			Actors:      []string{"Kanu Banerjee", "Karuna Banerjee", "Subir Banerjee"},
		},
		{
			Title: "The Seventh Seal", Year: 1957, Genre: drama, Director: ingmarBergman,
			Description: "A knight home from the Crusades plays chess with Death.",
			Actors:      []string{"Max von Sydow", "Gunnar Björnstrand", "Bengt Ekerot"},
		},
		{
			Title: "Vertigo", Year: 1958, Genre: thriller, Director: alfredHitchcock, Featured: true,
			Description: "A detective who fears heights falls for the woman he is paid to follow.",
			Actors:      []string{"James Stewart", "Kim Novak", "Barbara Bel Geddes"},
		},
		{
			Title: "Some Like It Hot", Year: 1959, Genre: comedy, Director: billyWilder, Featured: true,
			Description: "Two musicians who saw a murder hide in an all-female band.",
			Actors:      []string{"Marilyn Monroe", "Tony Curtis", "Jack Lemmon"},
		},
		{
			Title: "The 400 Blows", Year: 1959, Genre: drama, Director: francoisTruffaut,
			Description: "A boy in Paris whom neither school nor home wants runs towards the sea.",
			Actors:      []string{"Jean-Pierre Léaud", "Albert Rémy", "Claire Maurier"},
		},
		{
			Title: "Psycho", Year: 1960, Genre: horror, Director: alfredHitchcock,
			Description: "A woman on the run with stolen money stops at a motel kept by a shy young man and his mother.",
			Actors:      []string{"Anthony Perkins", "Janet Leigh", "Vera Miles"},
		},
		{
			Title: "Lawrence of Arabia", Year: 1962, Genre: adventure, Director: davidLean,
			Description: "A British officer leads the Arab revolt across the desert.",
			Actors:      []string{"Peter O'Toole", "Omar Sharif", "Alec Guinness"},
		},
		{
			Title: "8½", Year: 1963, Genre: drama, Director: federicoFellini,
			Description: "A director who has run out of ideas retreats into memory and fantasy.",
			Actors:      []string{"Marcello Mastroianni", "Claudia Cardinale", "Anouk Aimée"},
		},
		{
			Title: "Dr. Strangelove", Year: 1964, Genre: comedy, Director: stanleyKubrick,
			Description: "A mad general sends bombers to Moscow, and a war room full of men tries to call them back.",
			Actors:      []string{"Peter Sellers", "George C. Scott", "Sterling Hayden"},
		},
		{
			Title: "The Good, the Bad and the Ugly", Year: 1966, Genre: western, Director: sergioLeone,
			Description: "Three gunmen race for gold buried in a graveyard during the American Civil War.",
			Actors:      []string{"Clint Eastwood", "Eli Wallach", "Lee Van Cleef"},
		},
		{
			Title: "2001: A Space Odyssey", Year: 1968, Genre: scienceFiction, Director: stanleyKubrick, Featured: true,
			Description: "A monolith, a voyage to Jupiter, and a computer that will not be switched off.",
			Actors:      []string{"Keir Dullea", "Gary Lockwood", "Douglas Rain"},
		},
		{
			Title: "Once Upon a Time in the West", Year: 1968, Genre: western, Director: sergioLeone,
			Description: "A widow, a bandit and a stranger with a harmonica stand against a railway's hired gun.",
			Actors:      []string{"Claudia Cardinale", "Henry Fonda", "Charles Bronson"},
		},
		{
			Title: "The Godfather", Year: 1972, Genre: crime, Director: francisFordCoppola, Featured: true,
			Description: "The youngest son of a New York crime family, meant for another life, takes his father's place.",
			Actors:      []string{"Marlon Brando", "Al Pacino", "James Caan", "Diane Keaton"},
		},
		{
			Title: "Chinatown", Year: 1974, Genre: crime, Director: romanPolanski,
			Description: "A private detective in Los Angeles uncovers a scheme over water.",
			Actors:      []string{"Jack Nicholson", "Faye Dunaway", "John Huston"},
		},
		{
			Title: "Jaws", Year: 1975, Genre: thriller, Director: stevenSpielberg,
			Description: "A police chief, a scientist and a fisherman hunt the shark that hunts a seaside town.",
			Actors:      []string{"Roy Scheider", "Robert Shaw", "Richard Dreyfuss"},
		},
		{
			Title: "Taxi Driver", Year: 1976, Genre: drama, Director: martinScorsese,
			Description: "A sleepless veteran drives through New York at night and plans to clean it up.",
			Actors:      []string{"Robert De Niro", "Jodie Foster", "Cybill Shepherd"},
		},
		{
			Title: "Star Wars", Year: 1977, Genre: scienceFiction, Director: georgeLucas,
			Description: "A farm boy, a smuggler and a princess fight an empire.",
			Actors:      []string{"Mark Hamill", "Harrison Ford", "Carrie Fisher"},
		},
		{
			Title: "Alien", Year: 1979, Genre: scienceFiction, Director: ridleyScott, Featured: true,
			Description: "The crew of a freighter answers a signal and brings something aboard.",
			Actors:      []string{"Sigourney Weaver", "Tom Skerritt", "John Hurt"},
		},
		{
			Title: "Apocalypse Now", Year: 1979, Genre: war, Director: francisFordCoppola,
			Description: "A captain is sent upriver through the war in Vietnam to find a colonel who has gone beyond all orders.",
			Actors:      []string{"Martin Sheen", "Marlon Brando", "Robert Duvall"},
		},
		{
			Title: "Stalker", Year: 1979, Genre: scienceFiction, Director: andreiTarkovsky,
			Description: "A guide leads two men into a forbidden zone, to a room that grants wishes.",
			Actors:      []string{"Alexander Kaidanovsky", "Anatoly Solonitsyn", "Nikolai Grinko"},
		},
		{
			Title: "The Shining", Year: 1980, Genre: horror, Director: stanleyKubrick,
			Description: "A writer looks after an empty mountain hotel for a winter, with his family and whatever else is there.",
			Actors:      []string{"Jack Nicholson", "Shelley Duvall", "Danny Lloyd"},
		},
		{
			Title: "Raiders of the Lost Ark", Year: 1981, Genre: adventure, Director: stevenSpielberg,
			Description: "An archaeologist races the Nazis for the Ark of the Covenant.",
			Actors:      []string{"Harrison Ford", "Karen Allen", "Paul Freeman"},
		},
		{
			Title: "Blade Runner", Year: 1982, Genre: scienceFiction, Director: ridleyScott,
			Description: "A detective hunts artificial people who want more life.",
			Actors:      []string{"Harrison Ford", "Rutger Hauer", "Sean Young"},
		},
		{
			Title: "Back to the Future", Year: 1985, Genre: comedy, Director: robertZemeckis,
			Description: "A teenager is sent thirty years back and must make his parents meet.",
			Actors:      []string{"Michael J. Fox", "Christopher Lloyd", "Lea Thompson"},
		},
		{
			Title: "My Neighbor Totoro", Year: 1988, Genre: animation, Director: hayaoMiyazaki,
			Description: "Two sisters move to the country and meet the keeper of the forest.",
			Actors:      []string{"Noriko Hidaka", "Chika Sakamoto", "Hitoshi Takagi"},
		},
		{
			Title: "Goodfellas", Year: 1990, Genre: crime, Director: martinScorsese,
			Description: "Thirty years of a man who always wanted to be a gangster.",
			Actors:      []string{"Ray Liotta", "Robert De Niro", "Joe Pesci"},
		},
		{
			Title: "Terminator 2: Judgment Day", Year: 1991, Genre: scienceFiction, Director: jamesCameron,
			Description: "A machine from the future protects a boy from a better one.",
			Actors:      []string{"Arnold Schwarzenegger", "Linda Hamilton", "Robert Patrick"},
		},
		{
			Title: "The Silence of the Lambs", Year: 1991, Genre: thriller, Director: jonathanDemme,
			Description: "A trainee of the FBI asks one killer for help in finding another.",
			Actors:      []string{"Jodie Foster", "Anthony Hopkins", "Scott Glenn"},
		},
		{
			Title: "Schindler's List", Year: 1993, Genre: drama, Director: stevenSpielberg,
			Description: "A businessman in occupied Poland saves more than a thousand Jews from murder.",
			Actors:      []string{"Liam Neeson", "Ben Kingsley", "Ralph Fiennes"},
		},
		{
			Title: "The Piano", Year: 1993, Genre: romance, Director: janeCampion,
			Description: "A mute woman is sent to New Zealand to marry, with her daughter and her piano.",
			Actors:      []string{"Holly Hunter", "Harvey Keitel", "Anna Paquin"},
		},
		{
			Title: "Pulp Fiction", Year: 1994, Genre: crime, Director: quentinTarantino,
			Description: "Hit men, a boxer and a pair of robbers cross paths in Los Angeles.",
			Actors:      []string{"John Travolta", "Samuel L. Jackson", "Uma Thurman"},
		},
		{
			Title: "Toy Story", Year: 1995, Genre: animation, Director: johnLasseter,
			Description: "A cowboy doll's place as favorite is threatened by a space ranger.",
			Actors:      []string{"Tom Hanks", "Tim Allen", "Don Rickles"},
		},
		{
			Title: "Fargo", Year: 1996, Genre: crime, Director: ethanAndJoelCoen,
			Description: "A car salesman has his wife kidnapped, and a police chief follows the trail through the snow.",
			Actors:      []string{"Frances McDormand", "William H. Macy", "Steve Buscemi"},
		},
		{
			Title: "The Matrix", Year: 1999, Genre: scienceFiction, Director: lanaAndLillyWachowski,
			Description: "A programmer learns that the world he knows is a simulation.",
			Actors:      []string{"Keanu Reeves", "Laurence Fishburne", "Carrie-Anne Moss"},
		},
		{
			Title: "Crouching Tiger, Hidden Dragon", Year: 2000, Genre: adventure, Director: angLee,
			Description: "A stolen sword draws two warriors and a governor's daughter into pursuit.",
			Actors:      []string{"Chow Yun-fat", "Michelle Yeoh", "Zhang Ziyi"},
		},
		{
			Title: "In the Mood for Love", Year: 2000, Genre: romance, Director: wongKarWai, Featured: true,
			Description: "Two neighbours in Hong Kong discover that their spouses are having an affair.",
			Actors:      []string{"Tony Leung Chiu-wai", "Maggie Cheung", "Rebecca Pan"},
		},
		{
			Title: "Amélie", Year: 2001, Genre: romance, Director: jeanPierreJeunet, Featured: true,
			Description: "A shy waitress in Montmartre sets about the happiness of others.",
			Actors:      []string{"Audrey Tautou", "Mathieu Kassovitz", "Rufus"},
		},
		{
			Title: "Spirited Away", Year: 2001, Genre: animation, Director: hayaoMiyazaki, Featured: true,
			Description: "A girl works in a bathhouse for spirits to win back her parents and her own name.",
			Actors:      []string{"Rumi Hiiragi", "Miyu Irino", "Mari Natsuki"},
		},
		{
			Title: "The Lord of the Rings: The Fellowship of the Ring", Year: 2001, Genre: adventure, Director: peterJackson,
			Description: "A hobbit and eight companions set out to destroy a ring.",
			Actors:      []string{"Elijah Wood", "Ian McKellen", "Viggo Mortensen"},
		},
		{
			Title: "Pan's Labyrinth", Year: 2006, Genre: drama, Director: guillermoDelToro,
			Description: "In the Spain of 1944 a girl is set three tasks by a faun.",
			Actors:      []string{"Ivana Baquero", "Sergi López", "Maribel Verdú"},
		},
		{
			Title: "The Dark Knight", Year: 2008, Genre: crime, Director: christopherNolan,
			Description: "Batman meets a criminal who wants nothing but disorder.",
			Actors:      []string{"Christian Bale", "Heath Ledger", "Aaron Eckhart"},
		},
		{
			Title: "Inception", Year: 2010, Genre: scienceFiction, Director: christopherNolan,
			Description: "A thief who steals from dreams is asked to plant an idea instead.",
			Actors:      []string{"Leonardo DiCaprio", "Elliot Page", "Joseph Gordon-Levitt"},
		},
		{
			Title: "Mad Max: Fury Road", Year: 2015, Genre: adventure, Director: georgeMiller,
			Description: "A driver and a drifter flee a tyrant across the desert, and turn back.",
			Actors:      []string{"Tom Hardy", "Charlize Theron", "Nicholas Hoult"},
		},
		{
			Title: "Arrival", Year: 2016, Genre: scienceFiction, Director: denisVilleneuve,
			Description: "A linguist is asked to speak with visitors from elsewhere.",
			Actors:      []string{"Amy Adams", "Jeremy Renner", "Forest Whitaker"},
		},
		{
			Title: "Moonlight", Year: 2016, Genre: drama, Director: barryJenkins, Featured: true,
			Description: "Three chapters in the life of a boy from Miami.",
			Actors:      []string{"Trevante Rhodes", "Ashton Sanders", "Mahershala Ali"},
		},
		{
			Title: "Lady Bird", Year: 2017, Genre: comedy, Director: gretaGerwig,
			Description: "A girl in her last year of school in Sacramento wants to be anywhere else.",
			Actors:      []string{"Saoirse Ronan", "Laurie Metcalf", "Timothée Chalamet"},
		},
		{
			Title: "Parasite", Year: 2019, Genre: thriller, Director: bongJoonHo, Featured: true,
			Description: "A poor family takes up posts, one by one, in the house of a rich one.",
			Actors:      []string{"Song Kang-ho", "Lee Sun-kyun", "Cho Yeo-jeong"},
		},
		{
			Title: "Portrait of a Lady on Fire", Year: 2019, Genre: romance, Director: celineSciamma,
			Description: "A painter must portray a bride to be without her knowing.",
			Actors:      []string{"Noémie Merlant", "Adèle Haenel", "Luàna Bajrami"},
		},
	}
}
